import type { AddressInfo } from 'node:net';
import type { HubClientStats, HubClientTls } from '@groupcast/hub-client';
import type { CloseReason } from '@groupcast/protocol';
import type { GatewayStats } from '../admin/gateway-stats.ts';
import type { TokenOptions } from '../auth/token-options.ts';
import type { GatewayConfig, HubAddress } from '../config.ts';
import type { GatewayOptions } from '../options.ts';
import type { AcceptCounts } from './balance/accept-balancer.ts';
import type { HubProblem } from './hub-failures.ts';

/** Order for the end of a worker. */
export interface DrainOrder {
  /** Time over which its connections are closed evenly, in milliseconds. */
  readonly windowMs: number;
  /** Reason that its clients receive. */
  readonly reason: CloseReason;
  /**
   * Treatment of pending handshakes: rejection with 503, or connections that close in the window.
   */
  readonly handshakes: 'reject' | 'accept';
}

/**
 * Message of the primary to a worker. An order to accept connections has the handle of the first
 * port with it, where there is one. Those of further ports follow.
 */
export type ToWorker =
  /**
   * Reply to `loaded`: create a gateway, and accept connections now or when told to. The secret is
   * in this message, and not in the environment or the arguments, which others can read.
   */
  | { readonly type: 'start'; readonly options: WorkerOptions; readonly listen: boolean }
  | { readonly type: 'listen' }
  /** Has the handle of a further port, by its place, for the order to accept before it. */
  | { readonly type: 'port'; readonly at: number }
  /**
   * Accept until `upTo` connections were accepted since the start, or without a limit. A paused
   * worker receives a handle with it.
   */
  | { readonly type: 'allow'; readonly upTo?: number }
  /** Reply with `accepted`. */
  | { readonly type: 'ask' }
  | { readonly type: 'report'; readonly request: number }
  /** Answer health checks on the port with 503 from now on; nothing else changes. */
  | { readonly type: 'fail_health' }
  /** Answer `GET /readyz` on the port with 200, or with 503: the gateway is ready, or is not. */
  | { readonly type: 'ready'; readonly isReady: boolean }
  /** Stop accepting, and keep all connections. Reply with `retired`. */
  | { readonly type: 'retire' }
  /** Close all connections within the window, then exit. */
  | { readonly type: 'drain'; readonly order: DrainOrder };

/** Message of a worker to the primary. */
export type FromWorker =
  /** The program is loaded and receives messages; earlier ones would have been lost. */
  | { readonly type: 'loaded' }
  | { readonly type: 'listening'; readonly address: AddressInfo }
  /** The worker cannot listen, and ends. */
  | { readonly type: 'failed'; readonly code: string; readonly message: string }
  /** It accepts no more connections. */
  | { readonly type: 'retired' }
  | ({ readonly type: 'accepted' } & AcceptCounts)
  /**
   * Sent every second, and once when the hub is reached: the event loop runs. `linked` says that
   * the hub has been reached once.
   */
  | { readonly type: 'beat'; readonly linked: boolean }
  /** It is connected to the hub, or, with a problem, is not. */
  | { readonly type: 'hub'; readonly problem?: HubProblem }
  | { readonly type: 'report'; readonly request: number; readonly report: WorkerReport };

/** Number of a report without a request: the last one of a worker that ends. */
export const LAST_REPORT = 0;

/** Interval of the beats of a worker, in milliseconds. */
export const BEAT_MS = 1_000;

/** Options of a worker, in a form that can be sent to it. */
export interface WorkerOptions {
  /** Number of its place: a successor has the same, after a death and after a reload. */
  readonly index: number;
  readonly gateway: Pick<GatewayOptions, 'host' | 'port'> &
    Partial<Omit<GatewayOptions, 'hub' | 'log' | 'wheel' | 'accepted' | 'verifyToken'>>;
  /** Keys of tokens; undefined without `--auth token`. */
  readonly tokens: TokenOptions | undefined;
  /** Whether it accepts no more connections than the primary allows. */
  readonly balanceConnections: boolean;
  readonly hub: HubAddress;
  /** Secret that is shared with the hub; '' for none. */
  readonly secret: string;
  readonly hubTls: HubClientTls | undefined;
  /** Longest warm-up before the worker listens, in milliseconds. */
  readonly warmUpMs: number;
  /** Window of a drain without an order, in milliseconds. */
  readonly drainMs: number;
  readonly log: { readonly level: GatewayConfig['logLevel']; readonly format: GatewayConfig['logFormat'] };
}

/** State of a worker. `retired`: it serves its connections, accepts no others, and will drain. */
export type WorkerState = 'starting' | 'up' | 'retired' | 'draining';

/** Row of one worker in `status` and in `GET /api/v1/stats`. */
export interface WorkerReport extends GatewayStats {
  /** Number of its place: a successor has the same, after a death and after a reload. */
  readonly index: number;
  readonly pid: number;
  readonly state: WorkerState;
  readonly uptimeSeconds: number;
  readonly memoryBytes: number;
  /** 99th percentile of the last ten seconds, in milliseconds. */
  readonly loopDelayMs: number;
  readonly hub: HubClientStats;
}
