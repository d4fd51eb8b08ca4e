/** Empty slots at the front that are tolerated before the rest moves up. */
const EMPTY_SLOTS_MAX = 1_024;

interface Ranked {
  readonly rank: number;
}

/**
 * The waiting items of a queue, by rank. An item that was taken and put back keeps its rank. As
 * items are always taken from the front, it comes before all that were never taken.
 */
export class ItemOrder<Item extends Ranked> {
  /** Items that were never put back. The slots before `#head` are empty. */
  #fresh: (Item | undefined)[] = [];
  #head = 0;
  /** Items that were put back, highest rank first: most return to the end of the array. */
  readonly #returned: Item[] = [];

  get size(): number {
    return this.#fresh.length - this.#head + this.#returned.length;
  }

  get first(): Item | undefined {
    return this.#returned.at(-1) ?? this.#fresh[this.#head];
  }

  takeFirst(): Item | undefined {
    const returned = this.#returned.pop();
    if (returned !== undefined) return returned;
    const item = this.#fresh[this.#head];
    if (item === undefined) return undefined;
    // The array must not keep taken items alive.
    this.#fresh[this.#head] = undefined;
    this.#head += 1;
    this.#moveUp();
    return item;
  }

  /** Appends an item whose rank is higher than those of all others. */
  add(item: Item): void {
    this.#fresh.push(item);
  }

  /** Inserts an item that was taken before, by its rank. */
  putBack(item: Item): void {
    this.#returned.splice(this.#returnedIndexOf(item), 0, item);
  }

  remove(item: Item): void {
    const index = this.#returnedIndexOf(item);
    if (this.#returned[index] === item) this.#returned.splice(index, 1);
    else this.#removeFresh(item);
  }

  /** Returns the index of the item among those that were put back, or where it belongs. */
  #returnedIndexOf({ rank }: Item): number {
    return firstIndex(0, this.#returned.length, (index) => (this.#returned[index]?.rank ?? 0) <= rank);
  }

  #removeFresh(item: Item): void {
    const fresh = this.#fresh;
    const index = firstIndex(this.#head, fresh.length, (at) => (fresh[at]?.rank ?? 0) >= item.rank);
    if (fresh[index] === item) fresh.splice(index, 1);
  }

  #moveUp(): void {
    const isWorthIt = this.#head > EMPTY_SLOTS_MAX && this.#head * 2 > this.#fresh.length;
    if (this.#head < this.#fresh.length && !isWorthIt) return;
    this.#fresh = this.#fresh.slice(this.#head);
    this.#head = 0;
  }
}

/** Returns the first index from which on the predicate holds, or `end`. */
function firstIndex(start: number, end: number, holds: (index: number) => boolean): number {
  let low = start;
  let high = end;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
