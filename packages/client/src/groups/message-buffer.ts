import { GroupcastError } from '../groupcast-error.ts';

/** `Symbol.asyncDispose`, where the platform has it. */
const ASYNC_DISPOSE = (Symbol as { readonly asyncDispose?: symbol }).asyncDispose ?? Symbol();

/** An iteration and its unread items. Bounded, because a WebSocket has no backpressure. */
export class MessageBuffer<Item extends object> implements AsyncGenerator<Item, undefined> {
  readonly #max: number;
  readonly #ended: () => void;
  readonly #items: Item[] = [];
  /** Pending calls of `next`. */
  readonly #readers: ((result: Promise<IteratorResult<Item, undefined>>) => void)[] = [];
  #isOver = false;
  #error: unknown;

  /** Calls `ended` once, when the buffer accepts no more items. */
  constructor(max: number, ended: () => void) {
    this.#max = max;
    this.#ended = ended;
  }

  put(item: Item): void {
    if (this.#isOver) return;
    if (this.#items.length < this.#max) {
      this.#items.push(item);
      this.#readers.shift()?.(this.next());
    } else {
      this.end(new GroupcastError('buffer_full', 'Read faster, or raise bufferMax.'));
    }
  }

  /** Ends the iteration after its unread items, with `error` unless that is undefined. */
  end(error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#error = error;
    for (const reader of this.#readers.splice(0)) reader(this.next());
    this.#ended();
  }

  async next(): Promise<IteratorResult<Item, undefined>> {
    const value = this.#items.shift();
    if (value !== undefined) return { done: false, value };
    if (!this.#isOver) return new Promise((resolve) => this.#readers.push(resolve));
    const error = this.#error;
    this.#error = undefined;
    if (error !== undefined) throw error;
    return { done: true, value: undefined };
  }

  /** Ends the iteration at once, also while `next` is pending. */
  async return(): Promise<IteratorResult<Item, undefined>> {
    this.#items.length = 0;
    this.end(undefined);
    this.#error = undefined;
    return this.next();
  }

  async throw(error: unknown): Promise<IteratorResult<Item, undefined>> {
    void this.return();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [ASYNC_DISPOSE](): Promise<void> {
    await this.return();
  }
}
