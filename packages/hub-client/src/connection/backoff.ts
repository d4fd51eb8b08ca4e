import { type ReconnectBounds, reconnectDelayMs } from '@groupcast/protocol';

/** Delay before the next connection. It grows until a connection has been open for a while. */
export class Backoff {
  readonly #bounds: ReconnectBounds;
  #attempt = 0;
  /** Infinity while no connection is open. */
  #openedAtMs = Number.POSITIVE_INFINITY;

  constructor(bounds: ReconnectBounds) {
    this.#bounds = bounds;
  }

  opened(nowMs: number): void {
    this.#openedAtMs = nowMs;
  }

  /** Returns the delay in milliseconds after the end of a connection, open or not. */
  nextDelayMs(nowMs: number): number {
    // A hub that accepts the client and closes at once must not be retried without a delay.
    if (nowMs - this.#openedAtMs >= this.#bounds.maxMs) this.#attempt = 0;
    this.#openedAtMs = Number.POSITIVE_INFINITY;
    const delayMs = reconnectDelayMs(this.#attempt, this.#bounds);
    this.#attempt += 1;
    return delayMs;
  }
}
