import { type AppFlags, type AppOptions, launchApp, readStats, startApp, type TestApp } from './test-app.ts';

/** One peer in `GET /api/v1/stats` of a hub. */
export interface HubPeer {
  /** As it calls itself: a gateway's worker says its index and its pid. */
  readonly name: string;
  readonly subscriptions: number;
  readonly received: number;
  readonly delivered: number;
  readonly [name: string]: unknown;
}

/** Fields of a hub's `GET /api/v1/stats` that tests rely on. */
export interface HubStats {
  readonly connectedPeers: number;
  readonly channels: number;
  readonly published: number;
  readonly delivered: number;
  readonly peers: readonly HubPeer[];
  readonly [name: string]: unknown;
}

export interface TestHub extends TestApp {
  /** Value for the `--hub` of gateways. */
  readonly address: string;
  stats(): Promise<HubStats>;
}

/** Starts a real hub on 127.0.0.1, on free ports unless the flags say which. */
export async function startHub(flags: AppFlags = {}, options: AppOptions = {}): Promise<TestHub> {
  return testHub(await startApp('channel-hub', withDefaults(flags), options));
}

/** Starts a hub as `startHub` does, and does not wait until it is ready. */
export async function launchHub(flags: AppFlags = {}, options: AppOptions = {}): Promise<TestHub> {
  return testHub(await launchApp('channel-hub', withDefaults(flags), options));
}

/** Tests do not measure how fast the first messages are. */
function withDefaults(flags: AppFlags): AppFlags {
  return { warmUpMs: 0, ...flags };
}

function testHub(app: TestApp): TestHub {
  return { ...app, address: `127.0.0.1:${app.port}`, stats: () => readStats<HubStats>(app.adminPort) };
}
