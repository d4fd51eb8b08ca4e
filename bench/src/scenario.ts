import type { HubWire } from './load/hub-wire.ts';

/** Metrics of one measurement by name; those that were not measured are missing. */
export type Measured = Readonly<Partial<Record<Metric, number>>>;

export type Metric =
  /** CPU seconds of the server per million deliveries. */
  | 'cpu'
  | 'rate'
  | 'p50'
  | 'p99'
  /** p99 of the first ten seconds after the start, in milliseconds. */
  | 'coldP99'
  /** Resident memory of a connection, in bytes. */
  | 'memory'
  /** CPU microseconds of the server per connection and join. */
  | 'connect'
  /** Microseconds of a publication to one group of a worker. */
  | 'message'
  /** Microseconds of a join and a leave. */
  | 'membership'
  /** Cores that the load generator used. */
  | 'generator';

/** A system that can be measured repeatedly. */
export interface Subject {
  measure(): Promise<Measured>;
  stop(): Promise<void>;
}

export interface Candidate {
  readonly name: string;
  readonly version: string;
  /** Whether it belongs to this project. */
  readonly isOurs?: boolean | undefined;
  readonly missing?: string | undefined;
  start(): Promise<Subject>;
}

/**
 * Target of this project: the limit of a candidate's metric, absolute or as a multiple of another
 * candidate.
 */
export interface Check {
  readonly of: string;
  readonly metric: Metric;
  readonly over?: { readonly candidate: string; readonly metric: Metric };
  readonly most: number;
}

export interface Scenario {
  readonly name: string;
  readonly title: string;
  /** Compared metric; less is better. */
  readonly metric: Metric;
  /** Candidate that the ratios refer to. */
  readonly baseline: string;
  readonly checks: readonly Check[];
  /** Whether servers start again for each round, because memory or warmth is measured. */
  readonly fresh: boolean;
  readonly candidates: readonly Candidate[];
}

/** How and of which checkout scenarios are made. */
export interface Setting {
  /** Duration of one round, in seconds. */
  readonly seconds: number;
  /** The checkout whose apps are measured. */
  readonly root: string;
  /** The native wire of its hub. Default: that of this checkout. */
  readonly nativeWire?: HubWire;
}

/** Longest round of a hub, in seconds: its load sends no heartbeats, and is closed without them. */
export const HUB_SECONDS_MAX = 10;
