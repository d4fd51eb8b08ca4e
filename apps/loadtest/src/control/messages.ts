import type { Faults } from '../generator/checker.ts';
import type { ProcessPlan, Settings } from '../plan.ts';

/** Address of the server, as a generator process needs it. */
export interface Target {
  readonly address: string;
  readonly port: number;
  /** Name to verify the certificate against; null without TLS. */
  readonly tlsName: string | null;
  /** Value of the Host header. */
  readonly host: string;
  /** Path of the URL; null for the default of the protocol. */
  readonly path: string | null;
}

/** Set-up of a generator process. */
export interface Assignment {
  readonly settings: Settings;
  readonly plan: ProcessPlan;
  readonly target: Target;
  /** Prefix of all group names of this run. */
  readonly groupPrefix: string;
  /**
   * Time zero of the run in nanoseconds of the monotonic clock, as text: JSON has no big integers.
   */
  readonly epochNs: string;
}

/**
 * Orders from the command line's process to a generator, sent in this order. `stop` and
 * `peer-complete` may come at any time.
 */
export type Order =
  | { readonly type: 'assign'; readonly assignment: Assignment }
  | { readonly type: 'open' }
  /** Counts deliveries between the two times; `endUs` null: until all messages are complete. */
  | { readonly type: 'count'; readonly startUs: number; readonly endUs: number | null }
  /** Starts to send: all other processes count by now. */
  | { readonly type: 'send' }
  | { readonly type: 'peer-complete'; readonly group: number; readonly sequence: number }
  /**
   * Stops opening and sending. Deliveries after `endUs` do not count; null: those in flight count.
   */
  | { readonly type: 'stop'; readonly endUs: number | null }
  /**
   * Waits for messages in flight. `published` has the number of messages of each group by index.
   */
  | { readonly type: 'drain'; readonly published: readonly number[] };

/** Reports from a generator to the command line's process. */
export type Report =
  | { readonly type: 'ready' }
  | ({ readonly type: 'opened' } & OpenedReport)
  | { readonly type: 'counting' }
  | { readonly type: 'complete'; readonly group: number; readonly sequence: number }
  /** Sending has ended. Pairs of a group and its number of messages. */
  | { readonly type: 'stopped'; readonly published: readonly (readonly [number, number])[] }
  | { readonly type: 'progress'; readonly open: number; readonly deliveries: number }
  | ({ readonly type: 'result' } & ResultReport)
  | { readonly type: 'failed'; readonly code: 'unreachable' | 'refused' | 'setup'; readonly reason: string };

/** Outcome of opening the connections. */
export interface OpenedReport {
  readonly connections: number;
  readonly retried: number;
  /** Microseconds from the order to the last connection. */
  readonly seconds: number;
  readonly cpuShare: number;
  /** HdrHistogram, compressed, microseconds. */
  readonly handshakes: string;
}

/** Measurements of a generator. */
export interface ResultReport {
  readonly messages: number;
  readonly perSecond: readonly number[];
  /** Time of the last delivery, on the run's clock. */
  readonly lastDeliveryUs: number;
  /** HdrHistogram, compressed, microseconds. */
  readonly latencies: string;
  readonly faults: Faults;
  /** CPU during the measured time. */
  readonly cpuShare: number;
  /** Reasons that the server gave for rejecting or closing, with their counts. */
  readonly complaints: readonly (readonly [reason: string, count: number])[];
}
