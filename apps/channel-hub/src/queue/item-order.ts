import type { QueueItem } from './queue-item.ts';

/** Places in front that are empty, before the others move up. */
const EMPTY_PLACES_MAX = 1_024;

/**
 * The items of a queue that wait, in the order of their turns. What was taken and put back stands where it was: as items are always taken from the
 * front, that is before all the others.
 */
export class ItemOrder {
  /** Never put back since they were added; those before `#head` are taken. */
  #fresh: (QueueItem | undefined)[] = [];
  #head = 0;
  /** Taken, and put back. The next to go is the last, because that is where most come back to. */
  readonly #returned: QueueItem[] = [];

  get size(): number {
    return this.#fresh.length - this.#head + this.#returned.length;
  }

  /** The next to go. */
  get first(): QueueItem | undefined {
    return this.#returned.at(-1) ?? this.#fresh[this.#head];
  }

  takeFirst(): QueueItem | undefined {
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
  add(item: QueueItem): void {
    this.#fresh.push(item);
  }

  /** An item that was taken before, in its turn. */
  putBack(item: QueueItem): void {
    this.#returned.splice(this.#placeOf(item), 0, item);
  }

  remove(item: QueueItem): void {
    const place = this.#placeOf(item);
    if (this.#returned[place] === item) this.#returned.splice(place, 1);
    else this.#removeFresh(item);
  }

  /** Where it is among those that came back, or belongs: turns fall. */
  #placeOf({ turn }: QueueItem): number {
    return firstIndex(0, this.#returned.length, (index) => (this.#returned[index]?.turn ?? 0) <= turn);
  }

  #removeFresh(item: QueueItem): void {
    const fresh = this.#fresh;
    const place = firstIndex(this.#head, fresh.length, (index) => (fresh[index]?.turn ?? 0) >= item.turn);
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
