import { type AppFlags, type AppOptions, launchApp, readStats, startApp, type TestApp } from './test-app.ts';

/** One worker in `GET /api/v1/stats` of a gateway. */
export interface GatewayWorkerStats {
  readonly pid: number;
  readonly connections: number;
  /** Groups that it follows at the hub. */
  readonly groups: number;
  /** Its way to the hub. */
  readonly hub: { readonly state: string };
  readonly received: number;
  readonly delivered: number;
  readonly [name: string]: unknown;
}

/** What `GET /api/v1/stats` of a gateway says, as far as tests rely on it. */
export interface GatewayStats {
  /** Workers started in the place of others that died. */
  readonly restarts: number;
  readonly connections: number;
  readonly groups: number;
  readonly workers: readonly GatewayWorkerStats[];
  readonly [name: string]: unknown;
}

export interface TestGateway extends TestApp {
  /** For WebSockets. */
  readonly url: string;
  stats(): Promise<GatewayStats>;
}

/**
 * Starts a real gateway on 127.0.0.1, on free ports unless the flags say which, with one worker unless they say how many.
 * `hub` is the hub's address: `startGateway({ hub: hub.address })`.
 */
export async function startGateway(flags: AppFlags = {}, options: AppOptions = {}): Promise<TestGateway> {
  return testGateway(await startApp('ws-gateway', withDefaults(flags), options));
}

/** Starts a gateway as `startGateway` does, and does not wait until it is ready. */
export async function launchGateway(flags: AppFlags = {}, options: AppOptions = {}): Promise<TestGateway> {
  return testGateway(await launchApp('ws-gateway', withDefaults(flags), options));
}

function withDefaults(flags: AppFlags): AppFlags {
  return { host: '127.0.0.1', workers: 1, ...flags };
}

function testGateway(app: TestApp): TestGateway {
  return { ...app, url: `ws://127.0.0.1:${app.port}`, stats: () => readStats<GatewayStats>(app.adminPort) };
}
