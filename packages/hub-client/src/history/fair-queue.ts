/**
 * What waits for its turn, by owner: owners come in turn, one thing of each, and what one owner has
 * comes in its order. Takes any number of owners and things, and takes things out at any place, in
 * constant time.
 */
export class FairQueue<T> {
  readonly #byOwner = new Map<object | undefined, Line<T>>();
  /** The owner whose turn it is stands in front. */
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

  /** Takes out what comes next. */
  take(): T | undefined {
    if (this.#round.isEmpty) return undefined;
    const owner = this.#round.take();
    const line = this.#byOwner.get(owner);
    const one = line?.take();
    // Behind all others, also behind those who have come since its last turn.
    if (line?.isEmpty === false) this.#round.add(owner);
    else this.#byOwner.delete(owner);
    return one;
  }

  #forget(owner: object | undefined): void {
    this.#byOwner.delete(owner);
    this.#round.remove(owner);
  }
}

/** First in, first out, and out at any place. */
class Line<T> {
  readonly #all = new Set<T>();
  // Kept: one that begins at the front looks each time at the room of all that has been taken out.
  #cursor: Iterator<T> | undefined;

  get isEmpty(): boolean {
    return this.#all.size === 0;
  }

  add(one: T): void {
    this.#all.add(one);
  }

  remove(one: T): void {
    this.#all.delete(one);
    // An iterator that stands still holds all that its set has held since.
    if (this.isEmpty) this.#cursor = undefined;
  }

  take(): T | undefined {
    this.#cursor ??= this.#all.values();
    const value: T = this.#cursor.next().value;
    this.remove(value);
    return value;
  }
}
