import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';

/** How late the event loop ran its timers, in milliseconds. */
export interface EventLoopDelayReading {
  readonly meanMs: number;
  readonly p99Ms: number;
}

/**
 * How often a sample is taken. The histogram holds the time between samples, so this much of it is no delay. Each sample wakes the
 * process, so that they must be few where nothing else happens.
 */
const RESOLUTION_MS = 100;
const WINDOW_MS = 10_000;
const NANOSECONDS_PER_MS = 1_000_000;

/** Watches the delay of this process's event loop until it is closed. Does not keep the process alive. */
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

  /** The last full window of 10 seconds, or what there is of the first one. Any number of readers may ask. */
  read(): EventLoopDelayReading {
    return this.#window ?? this.#current();
  }

  close(): void {
    this.#histogram.disable();
    clearInterval(this.#timer);
  }

  #current(): EventLoopDelayReading {
    // Before the first sample the mean is NaN and the percentile is the least number that the histogram can hold.
    if (this.#histogram.count === 0) return { meanMs: 0, p99Ms: 0 };
    return { meanMs: delayMs(this.#histogram.mean), p99Ms: delayMs(this.#histogram.percentile(99)) };
  }
}

/** Hundredths of a millisecond are as fine as the sampling is. */
function delayMs(betweenSamplesNs: number): number {
  const delay = Math.max(0, betweenSamplesNs / NANOSECONDS_PER_MS - RESOLUTION_MS);
  return Math.round(delay * 100) / 100;
}
