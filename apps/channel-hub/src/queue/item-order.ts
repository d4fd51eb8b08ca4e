import type { QueueItem } from './queue-item.ts';

/** Places in front that are empty, before the others move up. */
const EMPTY_PLACES_MAX = 1_024;

/**
 * The items of a queue that wait, in the order in which they came. What was handed out and came back stands where it was: as items are always
 * taken from the front, that is before all that were never handed out.
 */
export class ItemOrder {
  /** Never handed out; those before `#head` are taken. */
  #fresh: (QueueItem | undefined)[] = [];
  #head = 0;
  /** Handed out, and back. The next to go is the last, because that is where most come back to. */
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

  /** A new item: it is younger than all there are. */
  add(item: QueueItem): void {
    this.#fresh.push(item);
  }

  /** An item that was taken before. */
  putBack(item: QueueItem): void {
    this.#returned.splice(this.#placeOf(item), 0, item);
  }

  /** Takes out an item that was put back. */
  remove(item: QueueItem): void {
    const place = this.#placeOf(item);
    if (this.#returned[place] === item) this.#returned.splice(place, 1);
  }

  /** Where it is among those that came back, or belongs: ids fall. */
  #placeOf(item: QueueItem): number {
    let low = 0;
    let high = this.#returned.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#returned[middle]?.id ?? 0) > item.id) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #moveUp(): void {
    const isWorthIt = this.#head > EMPTY_PLACES_MAX && this.#head * 2 > this.#fresh.length;
    if (this.#head < this.#fresh.length && !isWorthIt) return;
    this.#fresh = this.#fresh.slice(this.#head);
    this.#head = 0;
  }
}
