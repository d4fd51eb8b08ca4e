/** Bounds of the delay before a dead worker is restarted, in milliseconds. */
export interface RestartBackoffOptions {
  /** The first delay. */
  readonly minMs: number;
  /** The longest delay: each one is twice the one before. */
  readonly maxMs: number;
  /** Lifetime of a healthy worker, whose death counts as the first one. */
  readonly healthyMs: number;
}

export const RESTART_BACKOFF_DEFAULTS: RestartBackoffOptions = {
  minMs: 100,
  maxMs: 30_000,
  healthyMs: 60_000,
};

/** Delays of a slot before it starts its next worker: a crash loop must not become a fork bomb. */
export class RestartBackoff {
  readonly #options: RestartBackoffOptions;
  #delayMs: number;

  constructor(options: RestartBackoffOptions = RESTART_BACKOFF_DEFAULTS) {
    this.#options = options;
    this.#delayMs = options.minMs;
  }

  /** Returns the delay after the death of a worker that lived for `livedMs`. */
  next(livedMs: number): number {
    const { minMs, maxMs, healthyMs } = this.#options;
    const delayMs = livedMs >= healthyMs ? minMs : this.#delayMs;
    this.#delayMs = Math.min(2 * delayMs, maxMs);
    return delayMs;
  }
}
