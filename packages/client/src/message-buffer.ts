import { GroupcastError } from './groupcast-error.ts';

/** Holds what one iteration has not read yet. Bounded: a WebSocket cannot be told to wait. */
export class MessageBuffer<Item extends object> {
  readonly #max: number;
  readonly #siblings: Set<MessageBuffer<Item>>;
  readonly #items: Item[] = [];
  #wake: () => void = () => {};
  #isOver = false;
  #error: GroupcastError | undefined;

  /** It is in `siblings` for as long as something is to be put in. */
  constructor(max: number, siblings: Set<MessageBuffer<Item>>) {
    this.#max = max;
    this.#siblings = siblings;
    siblings.add(this);
  }

  put(item: Item): void {
    if (this.#items.length < this.#max) {
      this.#items.push(item);
      this.#wake();
    } else {
      const sentence = `The iteration is ${this.#max} messages behind. Read faster, or raise bufferMax.`;
      this.end(new GroupcastError('buffer_full', sentence));
    }
  }

  /** What is held can still be read; then the iteration is over, or throws the error. */
  end(error: GroupcastError | undefined): void {
    this.#siblings.delete(this);
    this.#isOver = true;
    this.#error = error;
    this.#wake();
  }

  /** To be called once. */
  async *read(): AsyncGenerator<Item, undefined> {
    try {
      for (;;) {
        const item = this.#items.shift();
        if (item !== undefined) yield item;
        else if (this.#error !== undefined) throw this.#error;
        else if (this.#isOver) return;
        else {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
        }
      }
    } finally {
      this.#siblings.delete(this);
    }
  }
}
