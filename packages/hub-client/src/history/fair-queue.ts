/**
 * Queue that is fair to owners: round-robin over owners, first in, first out within each. Adding,
 * taking and removing any entry take constant time.
 */
export class FairQueue<T> {
  readonly #byOwner = new Map<object | undefined, Line<T>>();
  /** The next owner is in front. */
  readonly #round = new Line<object | undefined>();

  add(owner: object | undefined, one: T): void {
    let line = this.#byOwner.get(owner);
    if (line === undefined) {
      line = new Line();
      this.#byOwner.set(owner, line);
      this.#round.add(owner);
    }
    line.add(one);
  }

  remove(owner: object | undefined, one: T): void {
    const line = this.#byOwner.get(owner);
    if (line === undefined) return;
    line.remove(one);
    if (line.isEmpty) this.#forget(owner);
  }

  /** Removes and returns the next entry. */
  take(): T | undefined {
    if (this.#round.isEmpty) return undefined;
    const owner = this.#round.take();
    const line = this.#byOwner.get(owner);
    const one = line?.take();
    // Behind all other owners, including those that were added since its last turn.
    if (line?.isEmpty === false) this.#round.add(owner);
    else this.#byOwner.delete(owner);
    return one;
  }

  #forget(owner: object | undefined): void {
    this.#byOwner.delete(owner);
    this.#round.remove(owner);
  }
}

/** First in, first out, with removal of any entry. */
class Line<T> {
  readonly #all = new Set<T>();
  // Kept, because an iterator from the start would skip all deleted entries each time.
  #cursor: Iterator<T> | undefined;

  get isEmpty(): boolean {
    return this.#all.size === 0;
  }

  add(one: T): void {
    this.#all.add(one);
  }

  remove(one: T): void {
    this.#all.delete(one);
    // An iterator that does not advance keeps all entries deleted since.
    if (this.isEmpty) this.#cursor = undefined;
  }

  take(): T | undefined {
    this.#cursor ??= this.#all.values();
    const value: T = this.#cursor.next().value;
    this.remove(value);
    return value;
  }
}
