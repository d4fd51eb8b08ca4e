import type { Faults } from '../generator/checker.ts';
import type { ProcessPlan, Settings } from '../plan.ts';

/** Where the server is, as a generator process needs it. */
export interface Target {
  readonly address: string;
  readonly port: number;
  /** The name to check the certificate by; null: no TLS. */
  readonly tlsName: string | null;
  /** As the Host header shows it. */
  readonly host: string;
  /** What the URL asks for; null: the protocol's own. */
  readonly path: string | null;
}

/** What a generator process is set up with. */
export interface Assignment {
  readonly settings: Settings;
  readonly plan: ProcessPlan;
  readonly target: Target;
  /** What all group names of this run begin with. */
  readonly groupPrefix: string;
  /** The run's zero of time in nanoseconds of the monotonic clock, as text: JSON has no big integers. */
  readonly epochNs: string;
}

/** From the command line's process to a generator. In this order, but for `stop` and `peer-complete`. */
export type Order =
  | { readonly type: 'assign'; readonly assignment: Assignment }
  | { readonly type: 'open' }
  /** Counts what comes between the two times; `endUs` null: until all messages are through. */
  | { readonly type: 'count'; readonly startUs: number; readonly endUs: number | null }
  /** Begins to send: all the others count by now. */
  | { readonly type: 'send' }
  | { readonly type: 'peer-complete'; readonly group: number; readonly sequence: number }
  /** Opens, or sends, no more. What comes after `endUs` does not count; null: what is on its way counts. */
  | { readonly type: 'stop'; readonly endUs: number | null }
  /** Waits for what is on its way: how many messages went to each group, by its index. */
  | { readonly type: 'drain'; readonly published: readonly number[] };

/** From a generator to the command line's process. */
export type Report =
  | { readonly type: 'ready' }
  | ({ readonly type: 'opened' } & OpenedReport)
  | { readonly type: 'counting' }
  | { readonly type: 'complete'; readonly group: number; readonly sequence: number }
  /** It sends no more; pairs of a group and how many messages went to it. */
  | { readonly type: 'stopped'; readonly published: readonly (readonly [number, number])[] }
  | { readonly type: 'progress'; readonly open: number; readonly deliveries: number }
  | ({ readonly type: 'result' } & ResultReport)
  | { readonly type: 'failed'; readonly code: 'unreachable' | 'refused' | 'setup'; readonly reason: string };

/** How the opening of connections went. */
export interface OpenedReport {
  readonly connections: number;
  readonly retried: number;
  /** From the order to the last connection. */
  readonly seconds: number;
  readonly cpuShare: number;
  /** HdrHistogram, compressed, microseconds. */
  readonly handshakes: string;
}

/** What a generator measured. */
export interface ResultReport {
  readonly messages: number;
  readonly perSecond: readonly number[];
  /** When the last delivery came, on the run's clock. */
  readonly lastDeliveryUs: number;
  /** HdrHistogram, compressed, microseconds. */
  readonly latencies: string;
  readonly faults: Faults;
  /** CPU over the measured time. */
  readonly cpuShare: number;
  /** Reasons that the server gave for refusing or closing, with their numbers. */
  readonly complaints: readonly (readonly [reason: string, count: number])[];
}
