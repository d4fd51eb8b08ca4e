/** How often a few are closed, in milliseconds: often enough that they do not come back in waves. */
const STEP_MS = 100;

interface Planned<T> {
  readonly one: T;
  /** When it is its turn, as a part of the window: above 0, at most 1. */
  readonly place: number;
}

/** Does something to each of many, evenly over a time. */
export class GradualClose<T> {
  readonly #close: (one: T) => void;
  #steps: number;
  /** Those that are left, in the order of their places. */
  #planned: Planned<T>[];
  #timer: NodeJS.Timeout | undefined;
  #step = 0;

  /** Begins at once. With a window of 0 milliseconds it is done at once, too. */
  constructor(all: Iterable<T>, windowMs: number, close: (one: T) => void) {
    this.#close = close;
    this.#steps = stepsOf(windowMs);
    const every = [...all];
    // They come at equal distances, and the first at a random place: else a single one would always be closed at the same one.
    const first = 1 - Math.random();
    this.#planned = every.map((one, index) => ({ one, place: (index + first) / every.length }));
    if (windowMs > 0) this.#timer = setInterval(() => this.#takeStep(), STEP_MS);
    else this.closeAll();
  }

  /** One that has come late: it is its turn at a random place in what is left of the window, and at once after it. */
  add(one: T): void {
    if (this.#timer === undefined) {
      this.#close(one);
      return;
    }
    const passed = this.#step / this.#steps;
    const place = 1 - Math.random() * (1 - passed);
    const index = this.#planned.findIndex((planned) => planned.place > place);
    this.#planned.splice(index < 0 ? this.#planned.length : index, 0, { one, place });
  }

  /** Ends the window in `windowMs` at the latest: what is left is done evenly until then. */
  shorten(windowMs: number): void {
    if (windowMs === 0) this.closeAll();
    const steps = stepsOf(windowMs);
    if (this.#timer === undefined || this.#steps - this.#step <= steps) return;
    const passed = this.#step / this.#steps;
    this.#planned = this.#planned.map(({ one, place }) => ({ one, place: (place - passed) / (1 - passed) }));
    this.#step = 0;
    this.#steps = steps;
  }

  /** Does what is left of it now, and ends the window. */
  closeAll(): void {
    this.#step = this.#steps;
    this.#closeDue();
  }

  #takeStep(): void {
    this.#step += 1;
    this.#closeDue();
  }

  #closeDue(): void {
    const passed = this.#step / this.#steps;
    const later = this.#planned.findIndex(({ place }) => place > passed);
    const due = this.#planned.splice(0, later < 0 ? this.#planned.length : later);
    if (passed >= 1) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
    for (const { one } of due) this.#close(one);
  }
}

function stepsOf(windowMs: number): number {
  return Math.max(1, Math.ceil(windowMs / STEP_MS));
}
