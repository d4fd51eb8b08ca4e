import { type AppFlags, type AppOptions, readStats, startApp, type TestApp } from './test-app.ts';

/** What `GET /api/v1/stats` of a hub says, as far as tests rely on it. */
export interface HubStats {
  readonly sessions: number;
  readonly channels: number;
  readonly published: number;
  readonly delivered: number;
  readonly [name: string]: unknown;
}

export interface TestHub extends TestApp {
  /** What gateways take as `--hub`. */
  readonly address: string;
  stats(): Promise<HubStats>;
}

/** Starts a real hub on 127.0.0.1, on free ports unless the flags say which. */
export async function startHub(flags: AppFlags = {}, options: AppOptions = {}): Promise<TestHub> {
  const app = await startApp('channel-hub', flags, options);
  return { ...app, address: `127.0.0.1:${app.port}`, stats: () => readStats<HubStats>(app.adminPort) };
}
