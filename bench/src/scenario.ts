/** What one measurement gives, by name; what was not measured is missing. */
export type Measured = Readonly<Partial<Record<Metric, number>>>;

export type Metric =
  /** CPU seconds of the server for a million deliveries. */
  | 'cpu'
  | 'rate'
  | 'p50'
  | 'p99'
  /** p99 of the first ten seconds after the start, in milliseconds. */
  | 'coldP99'
  /** Resident memory of a connection, in bytes. */
  | 'memory'
  /** CPU of the server for a connection and its join, in microseconds. */
  | 'connect'
  /** A publication to one group of a worker, in microseconds. */
  | 'message'
  /** A join and a leave, in microseconds. */
  | 'membership'
  /** Cores that the load generator took. */
  | 'generator';

/** Something that can be measured again and again. */
export interface Subject {
  measure(): Promise<Measured>;
  stop(): Promise<void>;
}

export interface Candidate {
  readonly name: string;
  readonly version: string;
  /** Whether it is this project, and no peer of it. */
  readonly isOurs?: boolean | undefined;
  readonly missing?: string | undefined;
  start(): Promise<Subject>;
}

/** What is wanted of this project: a metric of a candidate is at most so much, or so many times another one. */
export interface Check {
  readonly of: string;
  readonly metric: Metric;
  readonly over?: { readonly candidate: string; readonly metric: Metric };
  readonly most: number;
}

export interface Scenario {
  readonly name: string;
  readonly title: string;
  /** What is compared, best first when it is less. */
  readonly metric: Metric;
  /** Whom the ratios are to. */
  readonly baseline: string;
  readonly checks: readonly Check[];
  /** Whether servers start anew for each round, because memory or warmth is what is measured. */
  readonly fresh: boolean;
  readonly candidates: readonly Candidate[];
}

/** How and of which checkout scenarios are made. */
export interface Setting {
  /** Duration of one round, in seconds. */
  readonly seconds: number;
  /** The checkout whose apps are measured. */
  readonly root: string;
}

/** Longest round of a hub, in seconds: its load sends no heartbeats, and is closed without them. */
export const HUB_SECONDS_MAX = 10;
