import type { WorkItem } from './queue-item.ts';

/** Places in front that are empty, before the others move up. */
const EMPTY_PLACES_MAX = 1_024;

/**
 * The items of a queue that wait, in the order of their turns. What was taken and put back stands where it was: as items are always taken from the
 * front, that is before all the others.
 */
export class ItemOrder {
  /** Never put back since they were added; those before `#head` are taken. */
  #fresh: (WorkItem | undefined)[] = [];
  #head = 0;
  /** Taken, and put back. The next to go is the last, because that is where most come back to. */
  readonly #returned: WorkItem[] = [];

  get size(): number {
    return this.#fresh.length - this.#head + this.#returned.length;
  }

  /** The next to go. */
  get first(): WorkItem | undefined {
    return this.#returned.at(-1) ?? this.#fresh[this.#head];
  }

  takeFirst(): WorkItem | undefined {
    const returned = this.#returned.pop();
    if (returned !== undefined) return returned;
    const item = this.#fresh[this.#head];
    if (item === undefined) return undefined;
    // Taken items must not be held by the list.
    this.#fresh[this.#head] = undefined;
    this.#head += 1;
    this.#moveUp();
    return item;
  }

  /** An item whose turn comes after those of all there were. */
  add(item: WorkItem): void {
    this.#fresh.push(item);
  }

  /** An item that was taken before, in its turn. */
  putBack(item: WorkItem): void {
    this.#returned.splice(this.#placeOf(item), 0, item);
  }

  remove(item: WorkItem): void {
    const place = this.#placeOf(item);
    if (this.#returned[place] === item) this.#returned.splice(place, 1);
    else this.#removeFresh(item);
  }

  /** Where it is among those that came back, or belongs: turns fall. */
  #placeOf({ rank }: WorkItem): number {
    return firstIndex(0, this.#returned.length, (index) => (this.#returned[index]?.rank ?? 0) <= rank);
  }

  #removeFresh(item: WorkItem): void {
    const fresh = this.#fresh;
    const place = firstIndex(this.#head, fresh.length, (index) => (fresh[index]?.rank ?? 0) >= item.rank);
    if (fresh[place] === item) fresh.splice(place, 1);
  }

  #moveUp(): void {
    const isWorthIt = this.#head > EMPTY_PLACES_MAX && this.#head * 2 > this.#fresh.length;
    if (this.#head < this.#fresh.length && !isWorthIt) return;
    this.#fresh = this.#fresh.slice(this.#head);
    this.#head = 0;
  }
}

/** The first index from which on something is true, or `end`. */
function firstIndex(start: number, end: number, isTrue: (index: number) => boolean): number {
  let low = start;
  let high = end;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isTrue(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
