/** How often a few connections are closed, in milliseconds: often enough that they do not come back in waves. */
const STEP_MS = 100;

/** Does something to each of many, evenly over a time. */
export class EvenClose<T> {
  /** Settles when it was done to all. */
  readonly done: Promise<void>;
  readonly #all: readonly T[];
  readonly #close: (one: T) => void;
  readonly #steps: number;
  readonly #finish: () => void;
  #timer: NodeJS.Timeout | undefined;
  #step = 0;
  #closed = 0;

  /** Begins at once. With a window of 0 milliseconds it is done at once, too. */
  constructor(all: Iterable<T>, windowMs: number, close: (one: T) => void) {
    const { promise, resolve } = withResolver();
    this.done = promise;
    this.#finish = resolve;
    this.#all = [...all];
    this.#close = close;
    this.#steps = Math.max(1, Math.ceil(windowMs / STEP_MS));
    if (windowMs > 0 && this.#all.length > 0) this.#timer = setInterval(() => this.#takeStep(), STEP_MS);
    else this.hurry();
  }

  /** Does what is left of it now. */
  hurry(): void {
    this.#step = this.#steps;
    this.#takeStep();
  }

  #takeStep(): void {
    this.#step = Math.min(this.#steps, this.#step + 1);
    const until = Math.ceil((this.#all.length * this.#step) / this.#steps);
    for (const one of this.#all.slice(this.#closed, until)) this.#close(one);
    this.#closed = until;
    if (until < this.#all.length) return;
    clearInterval(this.#timer);
    this.#finish();
  }
}

// Promise.withResolvers came with Node 22.
function withResolver(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve: () => void = () => {};
  const promise = new Promise<void>((fulfil) => {
    resolve = fulfil;
  });
  return { promise, resolve };
}
