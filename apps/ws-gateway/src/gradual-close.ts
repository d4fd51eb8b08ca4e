/** Milliseconds between steps: short enough that clients do not reconnect in waves. */
const STEP_MS = 100;

interface Planned<T> {
  readonly item: T;
  /** Time of the close as a share of the window: above 0, at most 1. */
  readonly due: number;
}

/** Closes items evenly over a window of time. */
export class GradualClose<T> {
  readonly #close: (item: T) => void;
  #steps: number;
  /** Items that are not closed, by due time. */
  #planned: Planned<T>[];
  #timer: NodeJS.Timeout | undefined;
  #step = 0;

  /** Starts the window. With 0 milliseconds it closes all items at once. */
  constructor(items: Iterable<T>, windowMs: number, close: (item: T) => void) {
    this.#close = close;
    this.#steps = stepsOf(windowMs);
    const all = [...items];
    // Equal distances from a random start: a single item would otherwise always have the same time.
    const first = 1 - Math.random();
    this.#planned = all.map((item, index) => ({ item, due: (index + first) / all.length }));
    if (windowMs > 0) this.#timer = setInterval(() => this.#takeStep(), STEP_MS);
    else this.closeAll();
  }

  /** Adds an item, due at a random time in the rest of the window, and closed at once after it. */
  add(item: T): void {
    if (this.#timer === undefined) {
      this.#close(item);
      return;
    }
    const passed = this.#step / this.#steps;
    const due = 1 - Math.random() * (1 - passed);
    const index = this.#planned.findIndex((planned) => planned.due > due);
    this.#planned.splice(index < 0 ? this.#planned.length : index, 0, { item, due });
  }

  /** Ends the window within `windowMs`. The rest of the items is spread evenly over it. */
  shorten(windowMs: number): void {
    if (windowMs === 0) this.closeAll();
    const steps = stepsOf(windowMs);
    if (this.#timer === undefined || this.#steps - this.#step <= steps) return;
    const passed = this.#step / this.#steps;
    this.#planned = this.#planned.map(({ item, due }) => ({ item, due: (due - passed) / (1 - passed) }));
    this.#step = 0;
    this.#steps = steps;
  }

  /** Closes the rest of the items, and ends the window. */
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
    const later = this.#planned.findIndex(({ due }) => due > passed);
    const due = this.#planned.splice(0, later < 0 ? this.#planned.length : later);
    if (passed >= 1) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
    for (const { item } of due) this.#close(item);
  }
}

function stepsOf(windowMs: number): number {
  return Math.max(1, Math.ceil(windowMs / STEP_MS));
}
