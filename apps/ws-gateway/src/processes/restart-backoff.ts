/** Bounds of the wait before a worker that died is started again, in milliseconds. */
export interface RestartBackoffOptions {
  /** The first wait. */
  readonly minMs: number;
  /** The longest wait: each is twice the one before. */
  readonly maxMs: number;
  /** A worker that lived for this long was healthy, and its next death counts as the first. */
  readonly healthyMs: number;
}

export const RESTART_BACKOFF_DEFAULTS: RestartBackoffOptions = {
  minMs: 100,
  maxMs: 30_000,
  healthyMs: 60_000,
};

/**
 * How long a slot waits before it starts its next worker: a crash loop must not become a fork bomb.
 */
export class RestartBackoff {
  readonly #options: RestartBackoffOptions;
  #delayMs: number;

  constructor(options: RestartBackoffOptions = RESTART_BACKOFF_DEFAULTS) {
    this.#options = options;
    this.#delayMs = options.minMs;
  }

  /** The wait after the death of a worker that lived for `livedMs`. */
  next(livedMs: number): number {
    const { minMs, maxMs, healthyMs } = this.#options;
    const delayMs = livedMs >= healthyMs ? minMs : this.#delayMs;
    this.#delayMs = Math.min(2 * delayMs, maxMs);
    return delayMs;
  }
}
