import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';

/** Delay of the event loop's timers, in milliseconds. */
export interface EventLoopDelayReading {
  readonly meanMs: number;
  readonly p99Ms: number;
}

/**
 * Interval of samples, in milliseconds. The histogram holds the time between samples, of which this
 * much is not delay. Each sample wakes the process, so they must be few in an idle one.
 */
const RESOLUTION_MS = 100;
const WINDOW_MS = 10_000;
const NANOSECONDS_PER_MS = 1_000_000;

/**
 * Measures the delay of this process's event loop until it is closed. Does not keep the process
 * alive.
 */
export class EventLoopDelay {
  readonly #histogram: IntervalHistogram;
  readonly #timer: NodeJS.Timeout;
  #window: EventLoopDelayReading | undefined;

  constructor() {
    this.#histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    this.#histogram.enable();
    this.#timer = setInterval(() => {
      this.#window = this.#current();
      this.#histogram.reset();
    }, WINDOW_MS).unref();
  }

  /**
   * Returns the last full window of 10 seconds, or the first one so far. Reading changes nothing.
   */
  read(): EventLoopDelayReading {
    return this.#window ?? this.#current();
  }

  close(): void {
    this.#histogram.disable();
    clearInterval(this.#timer);
  }

  #current(): EventLoopDelayReading {
    // Before the first sample, the mean is NaN and the percentile is the histogram's smallest
    // number.
    if (this.#histogram.count === 0) return { meanMs: 0, p99Ms: 0 };
    return { meanMs: delayMs(this.#histogram.mean), p99Ms: delayMs(this.#histogram.percentile(99)) };
  }
}

/** Rounds to hundredths of a millisecond, which is as fine as the sampling. */
function delayMs(betweenSamplesNs: number): number {
  const delay = Math.max(0, betweenSamplesNs / NANOSECONDS_PER_MS - RESOLUTION_MS);
  return Math.round(delay * 100) / 100;
}
