import type { Scenario, Settings } from '../plan.ts';

/** What `--json` prints: one run. Numbers that were not measured are null. */
export interface Result {
  readonly scenario: Scenario;
  readonly url: string;
  readonly protocol: Settings['protocol'];
  readonly settings: Settings;
  /** How long the measured time was. */
  readonly seconds: number;
  /** Messages sent in the measured time. */
  readonly messages: number;
  /** Deliveries that came in the measured time. */
  readonly deliveries: number;
  readonly deliveriesPerSecond: number;
  /** Deliveries in each second of the measured time; the last second may be short. */
  readonly perSecond: readonly number[];
  /** From sending (`latency`: from when it was due) to each member, of messages sent in the measured time. */
  readonly latencyMs: Latencies | null;
  /** Over the whole run, warm-up included. */
  readonly lost: number;
  readonly doubled: number;
  readonly misordered: number;
  /** Messages to members that were not theirs, or not readable. */
  readonly unexpected: number;
  readonly connect: {
    readonly connections: number;
    /** Attempts that the server sent away for a while, or that broke, and that were made again. */
    readonly retried: number;
    readonly seconds: number;
    readonly perSecond: number;
    /** From opening the TCP connection to the confirmed join, of the attempt that succeeded. */
    readonly handshakeMs: { readonly p50: number; readonly p99: number };
  };
  readonly server: ServerCost | null;
  readonly generator: {
    readonly processes: number;
    /** Of the busiest process: 1 is a whole core. */
    readonly cpuShare: number;
    /** The generator had no CPU left: the server may be faster than this. */
    readonly limited: boolean;
  };
  /** What the server refused and why it closed connections, with how often. */
  readonly complaints: Readonly<Record<string, number>>;
  /** Ended by Ctrl-C, before its time. */
  readonly interrupted: boolean;
}

/** Latencies in milliseconds. */
export interface Latencies {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  readonly mean: number;
}

/** What the server's processes took. */
export interface ServerCost {
  readonly pids: readonly number[];
  /** In the measured time; with `idle` and `storm` while the connections were opened. */
  readonly cpuSeconds: number;
  readonly cpuSecondsPerMillionDeliveries: number | null;
  /** For TCP connect, upgrade and join. */
  readonly cpuMicrosPerConnection: number | null;
  readonly rssBytesBefore: number;
  readonly rssBytesAfter: number;
  /** Growth from before the first connection to the end of the run. */
  readonly rssBytesPerConnection: number | null;
}

/** A run with what its charts need besides. */
export interface RunReport {
  readonly result: Result;
  /** Points of the curve of latencies: percentile and milliseconds. */
  readonly latencyCurve: readonly (readonly [percentile: number, ms: number])[];
  /** CPU share of each generator process. */
  readonly generatorShares: readonly number[];
}

/** Whether every member got what it should, once and in order. */
export function isFaultless({ lost, doubled, misordered, unexpected }: Result): boolean {
  return lost === 0 && doubled === 0 && misordered === 0 && unexpected === 0;
}
