import { inspect } from 'node:util';
import { WAIT_MS } from './wait.ts';

interface Waiter {
  retry(): void;
  fail(why: string): void;
}

type Look<T> = () => { readonly item: T } | undefined;

const SHOWN_ITEMS = 5;
const SHOWN_CHARACTERS = 300;

/**
 * Events in the order in which they came, from the first: an event that came before anybody waited
 * for it is not missed. Every wait ends: with the event, with the end of the queue, or after
 * WAIT_MS with an error that shows the last events.
 */
export class EventQueue<T> {
  readonly #what: string;
  readonly #items: T[] = [];
  readonly #waiters = new Set<Waiter>();
  #taken = 0;
  #endedWhy: string | undefined;

  /** `what` one event is, for errors: 'message', 'line of output'. */
  constructor(what: string) {
    this.#what = what;
  }

  /** All that came, taken or not. */
  get all(): readonly T[] {
    return this.#items;
  }

  /** All that came and was not taken by `next` yet. They stay in the queue. */
  get rest(): readonly T[] {
    return this.#items.slice(this.#taken);
  }

  push(item: T): void {
    this.#items.push(item);
    for (const waiter of this.#waiters) waiter.retry();
  }

  /** Nothing more will come: who still waits is told why. */
  end(why: string): void {
    this.#endedWhy ??= why;
    for (const waiter of this.#waiters) waiter.fail(this.#endedWhy);
  }

  /** Takes the next event, or the next that matches; those before it are passed over. */
  next(matches: (item: T) => boolean = () => true): Promise<T> {
    return this.#wait(() => {
      while (this.#taken < this.#items.length) {
        const item = this.#items[this.#taken++] as T;
        if (matches(item)) return { item };
      }
      return undefined;
    });
  }

  /** The first event that matches among all that came or will come. Takes nothing. */
  seen(matches: (item: T) => boolean): Promise<T> {
    let at = 0;
    return this.#wait(() => {
      while (at < this.#items.length) {
        const item = this.#items[at++] as T;
        if (matches(item)) return { item };
      }
      return undefined;
    });
  }

  #wait(look: Look<T>): Promise<T> {
    const found = look();
    if (found !== undefined) return Promise.resolve(found.item);
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
      };
      const waiter: Waiter = {
        retry: () => {
          const item = look();
          if (item === undefined) return;
          settle();
          resolve(item.item);
        },
        fail: (why) => {
          settle();
          reject(this.#missing(why));
        },
      };
      const timer = setTimeout(() => waiter.fail(`${WAIT_MS / 1_000} s have passed`), WAIT_MS);
      this.#waiters.add(waiter);
      if (this.#endedWhy !== undefined) waiter.fail(this.#endedWhy);
    });
  }

  #missing(why: string): Error {
    const last = this.#items.slice(-SHOWN_ITEMS).map((item) => inspect(item).slice(0, SHOWN_CHARACTERS));
    return new Error(
      `The ${this.#what} that was waited for did not come: ${why}. ${this.#items.length} came, the last: ${last.join(' | ')}`,
    );
  }
}
