import type { AddressInfo } from 'node:net';
import type { HubClientStats, HubClientTls } from '@groupcast/hub-client';
import type { CloseReason } from '@groupcast/protocol';
import type { GatewayStats } from '../admin/gateway-stats.ts';
import type { GatewayConfig, HubAddress } from '../config.ts';
import type { GatewayOptions } from '../options.ts';
import type { AcceptCounts } from './balance/accept-balancer.ts';

/** How a worker is to end. */
export interface DrainOrder {
  /** Its connections are closed evenly over this time, in milliseconds. */
  readonly windowMs: number;
  /** What its clients are told. */
  readonly reason: CloseReason;
  /**
   * What becomes of handshakes under way: 503, or connections that are closed within the window.
   */
  readonly handshakes: 'reject' | 'accept';
}

/**
 * What the primary tells a worker. With an order to take connections comes the handle to take them
 * from, where there is one.
 */
export type ToWorker =
  /**
   * The answer to `loaded`: become a gateway, and take connections now or when told to. The secret
   * travels here, and not in the environment or the arguments, where others can read it.
   */
  | { readonly type: 'start'; readonly options: WorkerOptions; readonly listen: boolean }
  | { readonly type: 'listen' }
  /**
   * Accept until `upTo` connections were accepted since the start; without it: without a limit.
   * A worker that has paused gets a handle with it.
   */
  | { readonly type: 'allow'; readonly upTo?: number }
  /** Answer with `accepted`. */
  | { readonly type: 'ask' }
  | { readonly type: 'report'; readonly request: number }
  /** Answer health checks on the port with 503 from now on. All else goes on. */
  | { readonly type: 'fail_health' }
  /** Take no more connections, and keep those that are there. Answered by `retired`. */
  | { readonly type: 'retire' }
  /** Close everything within the window, then exit. */
  | { readonly type: 'drain'; readonly order: DrainOrder };

/** What a worker tells the primary. */
export type FromWorker =
  /** The program is loaded and listens to the primary: what came earlier would have been lost. */
  | { readonly type: 'loaded' }
  | { readonly type: 'listening'; readonly address: AddressInfo }
  /** It could not listen, and has nothing else to do. */
  | { readonly type: 'failed'; readonly code: string; readonly message: string }
  | { readonly type: 'retired' }
  | ({ readonly type: 'accepted' } & AcceptCounts)
  /**
   * Every second, and once more when the hub is reached: the event loop turns. `linked`: the hub
   * has been reached once.
   */
  | { readonly type: 'beat'; readonly linked: boolean }
  | { readonly type: 'report'; readonly request: number; readonly report: WorkerReport };

/** How often a worker says that it lives, in milliseconds. */
export const BEAT_MS = 1_000;

/** What a worker needs to know, in a form that can be sent to it. */
export interface WorkerOptions {
  /** Its number among the workers: its successor after a death has the same. */
  readonly index: number;
  readonly gateway: Pick<GatewayOptions, 'host' | 'port'> &
    Partial<Omit<GatewayOptions, 'hub' | 'log' | 'wheel' | 'accepted'>>;
  /** Whether it accepts no more connections than the primary allows. */
  readonly balanceConnections: boolean;
  readonly hub: HubAddress;
  /** Shared with the hub; '' where there is none. */
  readonly secret: string;
  readonly hubTls: HubClientTls | undefined;
  /** How long it may warm up before it listens, in milliseconds. */
  readonly warmUpMs: number;
  /** The window of its drain, where nobody orders another, in milliseconds. */
  readonly drainMs: number;
  readonly log: { readonly level: GatewayConfig['logLevel']; readonly format: GatewayConfig['logFormat'] };
}

/**
 * `retired`: it serves those who are connected, takes no others, and will drain when its turn
 * comes.
 */
export type WorkerState = 'starting' | 'up' | 'retired' | 'draining';

/** One worker's row of `status` and of `GET /api/v1/stats`. */
export interface WorkerReport extends GatewayStats {
  /** Its number among the workers: its successor after a death has the same. */
  readonly index: number;
  readonly pid: number;
  readonly state: WorkerState;
  readonly uptimeSeconds: number;
  readonly memoryBytes: number;
  /** 99th percentile of the last ten seconds, in milliseconds. */
  readonly loopDelayMs: number;
  readonly hub: HubClientStats;
}
