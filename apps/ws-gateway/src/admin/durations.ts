/** Upper bounds of the buckets, in seconds. Longer durations are in the last bucket, `+Inf`. */
const BUCKET_SECONDS: readonly number[] = [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10];

const LAST_BUCKET = '+Inf';

/** Of this many events one is measured: the clock is the cost. A power of two. */
const SAMPLE_EVERY = 16;

/** Numbers of measured durations by bucket, and their sum. All only grow. */
export interface DurationCounts {
  readonly sumSeconds: number;
  /** By the upper bound of the bucket. No bucket contains another. */
  readonly buckets: Readonly<Record<string, number>>;
}

/** Measures one in 16 durations of a kind of event, the first one included. */
export class Durations implements DurationCounts {
  sumSeconds = 0;
  readonly buckets: Record<string, number> = Object.fromEntries(
    [...BUCKET_SECONDS, LAST_BUCKET].map((bound) => [bound, 0]),
  );
  #events = 0;

  /** Returns the time of the start in milliseconds, or 0 for an event that is not measured. */
  start(): number {
    const isMeasured = this.#events === 0;
    this.#events = (this.#events + 1) & (SAMPLE_EVERY - 1);
    return isMeasured ? performance.now() : 0;
  }

  /** Records the end of an event with the result of `start`. */
  end(startMs: number): void {
    if (startMs === 0) return;
    const seconds = (performance.now() - startMs) / 1_000;
    this.sumSeconds += seconds;
    const bucket = BUCKET_SECONDS.find((bound) => seconds <= bound) ?? LAST_BUCKET;
    this.buckets[bucket] = (this.buckets[bucket] ?? 0) + 1;
  }

  /** Returns a copy. */
  counts(): DurationCounts {
    return { sumSeconds: this.sumSeconds, buckets: { ...this.buckets } };
  }
}

/** Formats a histogram for Prometheus, with a series for each worker. */
export function histogramText(
  name: string,
  help: string,
  workers: readonly { readonly index: number; readonly counts: DurationCounts }[],
): string {
  const lines = [`# HELP ${name} ${help}`, `# TYPE ${name} histogram`];
  for (const { index, counts } of workers) {
    let total = 0;
    for (const bound of [...BUCKET_SECONDS, LAST_BUCKET]) {
      total += counts.buckets[bound] ?? 0;
      lines.push(`${name}_bucket{worker="${index}",le="${bound}"} ${total}`);
    }
    lines.push(`${name}_sum{worker="${index}"} ${counts.sumSeconds}`);
    lines.push(`${name}_count{worker="${index}"} ${total}`);
  }
  return `${lines.join('\n')}\n`;
}
