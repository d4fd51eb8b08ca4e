import { until } from '../waiting/until.ts';
import { type AppFlags, type AppOptions, launchApp, readStats, startApp, type TestApp } from './test-app.ts';

/** One worker in `GET /api/v1/stats` of a gateway. */
export interface GatewayWorkerStats {
  readonly pid: number;
  /** `retired` or `draining` where a reload replaces it. */
  readonly state: string;
  readonly connections: number;
  /** Groups that it follows at the hub. */
  readonly groups: number;
  /** Its way to the hub. */
  readonly hub: { readonly state: string };
  readonly received: number;
  readonly delivered: number;
  readonly [name: string]: unknown;
}

/** Results of the reloads of a gateway. */
export interface GatewayReload {
  /** 1 at the start, and one more with each reload whose workers came up. */
  readonly generation: number;
  readonly state: 'idle' | 'starting' | 'draining';
  readonly asked: number;
  readonly done: number;
  readonly failed: number;
  /** Why the last one failed; missing when it was done. */
  readonly error?: string;
}

/** Fields of a gateway's `GET /api/v1/stats` that tests rely on. */
export interface GatewayStats {
  /** Workers started in the place of others that died. */
  readonly restarts: number;
  readonly reload: GatewayReload;
  readonly connections: number;
  readonly groups: number;
  readonly workers: readonly GatewayWorkerStats[];
  readonly [name: string]: unknown;
}

export interface TestGateway extends TestApp {
  /** For WebSockets. */
  readonly url: string;
  stats(): Promise<GatewayStats>;
  /**
   * Makes it reload (SIGHUP), and resolves with its stats when it has, or could not: when it has
   * nothing more to reload.
   */
  reload(): Promise<GatewayStats>;
}

/**
 * Starts a real gateway on 127.0.0.1, on free ports unless the flags say which, with one worker
 * unless they say how many. `hub` is the hub's address: `startGateway({ hub: hub.address })`.
 */
export async function startGateway(flags: AppFlags = {}, options: AppOptions = {}): Promise<TestGateway> {
  return testGateway(await startApp('ws-gateway', withDefaults(flags), options));
}

/** Starts a gateway as `startGateway` does, and does not wait until it is ready. */
export async function launchGateway(flags: AppFlags = {}, options: AppOptions = {}): Promise<TestGateway> {
  return testGateway(await launchApp('ws-gateway', withDefaults(flags), options));
}

function withDefaults(flags: AppFlags): AppFlags {
  // Tests do not measure how fast the first connections are served, and start hundreds of gateways.
  return { host: '127.0.0.1', workers: 1, warmUpMs: 0, ...flags };
}

function testGateway(app: TestApp): TestGateway {
  const stats = (): Promise<GatewayStats> => readStats<GatewayStats>(app.adminPort);
  const reload = async (): Promise<GatewayStats> => {
    const { asked } = (await stats()).reload;
    app.process.kill('SIGHUP');
    return until(
      stats,
      'the end of a reload',
      ({ reload }) => reload.asked > asked && reload.state === 'idle',
    );
  };
  return { ...app, url: `ws://127.0.0.1:${app.port}`, stats, reload };
}
