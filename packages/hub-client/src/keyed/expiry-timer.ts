import { TIMER_MS_MAX } from '@groupcast/options';
import type { KeyedEntries } from './keyed-entries.ts';

/** Limit of values that one event-loop turn drops. */
const EXPIRE_MAX = 1_000;

/** Timer that drops the values of a keyed map when they expire: one for all of them. */
export class ExpiryTimer {
  readonly #entries: KeyedEntries;
  #timer: NodeJS.Timeout | undefined;
  /** Expiry that the timer waits for, in milliseconds; Infinity without a timer. */
  #dueMs = Number.POSITIVE_INFINITY;
  #isClosed = false;

  constructor(entries: KeyedEntries) {
    this.#entries = entries;
  }

  /** Waits for the next expiry. Called after each change of the entries. */
  update(): void {
    const { nextExpiryMs } = this.#entries;
    if (this.#isClosed || nextExpiryMs === this.#dueMs) return;
    clearTimeout(this.#timer);
    this.#dueMs = nextExpiryMs;
    if (nextExpiryMs === Number.POSITIVE_INFINITY) return;
    const delayMs = Math.max(1, Math.ceil(nextExpiryMs - performance.now()));
    this.#timer = setTimeout(() => this.#expire(), Math.min(delayMs, TIMER_MS_MAX));
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  #expire(): void {
    this.#dueMs = Number.POSITIVE_INFINITY;
    this.#entries.expire(performance.now(), EXPIRE_MAX);
    this.update();
  }
}
