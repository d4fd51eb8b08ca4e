import type { Scenario, Settings } from '../plan.ts';

/** One run, as `--json` prints it. Figures that were not measured are null. */
export interface Result {
  readonly scenario: Scenario;
  readonly url: string;
  readonly protocol: Settings['protocol'];
  readonly settings: Settings;
  /** Length of the measured time. */
  readonly seconds: number;
  /** Messages sent in the measured time. */
  readonly messages: number;
  /** Deliveries that arrived in the measured time. */
  readonly deliveries: number;
  readonly deliveriesPerSecond: number;
  /** Deliveries in each second of the measured time; the last second may be short. */
  readonly perSecond: readonly number[];
  /**
   * From sending (`latency`: from the due time) to each member, of messages sent in the measured
   * time.
   */
  readonly latencyMs: Latencies | null;
  /** Over the whole run, warm-up included. */
  readonly lost: number;
  readonly doubled: number;
  readonly misordered: number;
  /** Messages to the wrong member, or unreadable ones. */
  readonly unexpected: number;
  readonly connect: {
    readonly connections: number;
    /** Attempts that the server rejected for a while, or that broke, and that were retried. */
    readonly retried: number;
    readonly seconds: number;
    readonly perSecond: number;
    /** From opening the TCP connection to the confirmed join, of the successful attempt. */
    readonly handshakeMs: { readonly p50: number; readonly p99: number };
  };
  readonly server: ServerCost | null;
  readonly generator: {
    readonly processes: number;
    /** CPU share of the busiest process: 1 is a whole core. */
    readonly cpuShare: number;
    /** Whether the generator had no CPU left: the server may be faster than this. */
    readonly limited: boolean;
  };
  /** Reasons for which the server rejected requests or closed connections, with their counts. */
  readonly complaints: Readonly<Record<string, number>>;
  /** Whether Ctrl-C ended the run early. */
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

/** Cost of the server's processes. */
export interface ServerCost {
  readonly pids: readonly number[];
  /** In the measured time; with `idle` and `storm` while the connections were opened. */
  readonly cpuSeconds: number;
  readonly cpuSecondsPerMillionDeliveries: number | null;
  /** Milliseconds of TCP connect, upgrade and join. */
  readonly cpuMicrosPerConnection: number | null;
  readonly rssBytesBefore: number;
  readonly rssBytesAfter: number;
  /** Growth from before the first connection to the end of the run. */
  readonly rssBytesPerConnection: number | null;
}

/** A run with the additional data of its charts. */
export interface RunReport {
  readonly result: Result;
  /** Points of the curve of latencies: percentile and milliseconds. */
  readonly latencyCurve: readonly (readonly [percentile: number, ms: number])[];
  /** CPU share of each generator process. */
  readonly generatorShares: readonly number[];
}

/** Whether every member received its messages once and in order. */
export function isFaultless({ lost, doubled, misordered, unexpected }: Result): boolean {
  return lost === 0 && doubled === 0 && misordered === 0 && unexpected === 0;
}
