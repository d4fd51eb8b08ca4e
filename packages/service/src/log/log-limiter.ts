import { performance } from 'node:perf_hooks';

/** Clock of the limiter. The default is monotonic: a clock that jumps must not hold lines back. */
export interface LimiterClock {
  /** Milliseconds since any fixed moment. */
  now(): number;
  /**
   * Calls back once after `ms`, and returns a function that cancels it. Must not keep the process
   * alive.
   */
  after(ms: number, callback: () => void): () => void;
}

/** Options of a limiter. */
export interface LogLimiterOptions {
  /**
   * Called at the end of a second, for each reason with lines held back: log one line with the
   * count.
   */
  readonly report: (reason: string, heldBack: number) => void;
  readonly clock?: LimiterClock;
}

const LINES_PER_WINDOW_MAX = 10;
const WINDOW_MS = 1_000;
/** Limit of reasons, of which a program has a few dozen; further ones share one count. */
const REASONS_MAX = 256;
const OTHER_REASONS = 'other';

const systemClock: LimiterClock = {
  now: () => performance.now(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms).unref();
    return () => clearTimeout(timer);
  },
};

/**
 * Keeps a flood of invalid input from becoming a flood of log lines: at most 10 lines a second for
 * each reason, then one line with the number of those held back. Holds a timer only while it has a
 * count to report.
 */
export class LogLimiter {
  readonly #report: LogLimiterOptions['report'];
  readonly #clock: LimiterClock;
  readonly #asked = new Map<string, number>();
  #windowEndsMs = Number.NEGATIVE_INFINITY;
  #cancelTimer: (() => void) | undefined;

  constructor(options: LogLimiterOptions) {
    this.#report = options.report;
    this.#clock = options.clock ?? systemClock;
  }

  /**
   * Returns whether a line for this reason may be logged now. `reason` is a word of the program,
   * never a client's.
   */
  take(reason: string): boolean {
    const nowMs = this.#clock.now();
    if (nowMs >= this.#windowEndsMs) {
      this.#endWindow();
      this.#windowEndsMs = nowMs + WINDOW_MS;
    }
    const counted = this.#asked.has(reason) || this.#asked.size < REASONS_MAX ? reason : OTHER_REASONS;
    const asked = (this.#asked.get(counted) ?? 0) + 1;
    this.#asked.set(counted, asked);
    if (asked <= LINES_PER_WINDOW_MAX) return true;
    this.#cancelTimer ??= this.#clock.after(this.#windowEndsMs - nowMs, () => this.#endWindow());
    return false;
  }

  /** Reports the lines held back, and ends the timer. */
  close(): void {
    this.#endWindow();
  }

  #endWindow(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#windowEndsMs = Number.NEGATIVE_INFINITY;
    const asked = [...this.#asked];
    this.#asked.clear();
    for (const [reason, count] of asked) {
      if (count > LINES_PER_WINDOW_MAX) this.#report(reason, count - LINES_PER_WINDOW_MAX);
    }
  }
}
