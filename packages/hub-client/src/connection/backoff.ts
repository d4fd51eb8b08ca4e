import { type ReconnectBounds, reconnectDelayMs } from '@groupcast/protocol';

/** How long to wait before the next connection: longer each time, until one has stood. */
export class Backoff {
  readonly #bounds: ReconnectBounds;
  #attempt = 0;
  /** Infinity while no link stands. */
  #openedAtMs = Number.POSITIVE_INFINITY;

  constructor(bounds: ReconnectBounds) {
    this.#bounds = bounds;
  }

  opened(nowMs: number): void {
    this.#openedAtMs = nowMs;
  }

  /** The connection has ended, open or not. In milliseconds. */
  nextDelayMs(nowMs: number): number {
    // A hub that lets us in and cuts us off at once must not be tried again and again without a
    // wait.
    if (nowMs - this.#openedAtMs >= this.#bounds.maxMs) this.#attempt = 0;
    this.#openedAtMs = Number.POSITIVE_INFINITY;
    const delayMs = reconnectDelayMs(this.#attempt, this.#bounds);
    this.#attempt += 1;
    return delayMs;
  }
}
