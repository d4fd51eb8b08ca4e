import type { native } from '@groupcast/protocol';
import { OrderedMap } from '@js-sdsl/ordered-map';

/** Value of a key: the newest publication with it. */
export interface KeyedValue {
  /** Not empty. A copy: it keeps no other memory alive. */
  readonly payload: Uint8Array;
  readonly kind: native.PayloadKind;
  /** Client id of the publisher, or ''. */
  readonly sender: string;
  /** JSON object by the publishing peer, or ''. Not checked. */
  readonly meta: string;
  /** Time of the publication by the clock of the hub, in milliseconds since 1970. */
  readonly timeMs: number;
}

interface Entry {
  readonly key: string;
  readonly value: KeyedValue;
  /** Number of the load in which it was last seen. */
  readonly load: number;
  /** Time at which it expires, in milliseconds of `performance.now`; Infinity: never. */
  readonly expiresMs: number;
}

/** Origin of a publication: it is delivered, or part of a snapshot. */
export type Origin = 'delivery' | 'snapshot';

/**
 * Values by their keys. A load replaces all of them: those that it does not bring are removed at
 * its end, and values that it only confirms are no changes.
 */
export class KeyedEntries {
  readonly #changed: (key: string, value: KeyedValue | undefined) => void;
  readonly #entries = new Map<string, Entry>();
  readonly #expiring = new OrderedMap<Entry, true>([], compareExpiries);
  #load = 0;

  /** `changed` is called for each key that has another value, or none any more. */
  constructor(changed: (key: string, value: KeyedValue | undefined) => void) {
    this.#changed = changed;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Time at which the next value expires, in milliseconds; Infinity: none does. */
  get nextExpiryMs(): number {
    return this.#expiring.front()?.[0].expiresMs ?? Number.POSITIVE_INFINITY;
  }

  get(key: string): KeyedValue | undefined {
    return this.#entries.get(key)?.value;
  }

  /** Milliseconds until the value of a key expires; Infinity: it does not. */
  lifeMs(key: string, nowMs: number): number | undefined {
    const entry = this.#entries.get(key);
    return entry && Math.max(0, entry.expiresMs - nowMs);
  }

  keys(): IterableIterator<string> {
    return this.#entries.keys();
  }

  *entries(): IterableIterator<[string, KeyedValue]> {
    for (const { key, value } of this.#entries.values()) yield [key, value];
  }

  beginLoad(): void {
    this.#load += 1;
  }

  /** Removes what the load has not brought. */
  endLoad(): void {
    for (const entry of this.#entries.values()) if (entry.load !== this.#load) this.#remove(entry);
  }

  apply(publication: native.Publication, { key, lifeMs }: native.Keyed, origin: Origin, nowMs: number): void {
    const old = this.#entries.get(key);
    if (publication.payload.length === 0) {
      if (old !== undefined) this.#remove(old);
      return;
    }
    const expiresMs = lifeMs === 0 ? Number.POSITIVE_INFINITY : nowMs + lifeMs;
    const entry = { key, value: toValue(publication), load: this.#load, expiresMs };
    if (old !== undefined) this.#expiring.eraseElementByKey(old);
    this.#entries.set(key, entry);
    if (lifeMs > 0) this.#expiring.setElement(entry, true);
    if (origin === 'snapshot' && old !== undefined && isSame(old.value, entry.value)) return;
    this.#changed(key, entry.value);
  }

  /** Removes at most `max` of the values that have expired. */
  expire(nowMs: number, max: number): void {
    for (let left = max; left > 0; left--) {
      const entry = this.#expiring.front()?.[0];
      if (entry === undefined || entry.expiresMs > nowMs) return;
      this.#remove(entry);
    }
  }

  /** Removes all values without a call. */
  clear(): void {
    this.#entries.clear();
    this.#expiring.clear();
  }

  #remove(entry: Entry): void {
    this.#entries.delete(entry.key);
    if (entry.expiresMs !== Number.POSITIVE_INFINITY) this.#expiring.eraseElementByKey(entry);
    this.#changed(entry.key, undefined);
  }
}

function toValue({ payload, kind, sender, meta, timeMs }: native.Publication): KeyedValue {
  return { payload: new Uint8Array(payload), kind, sender, meta, timeMs };
}

function isSame(one: KeyedValue, other: KeyedValue): boolean {
  if (one.kind !== other.kind || one.sender !== other.sender || one.meta !== other.meta) return false;
  return Buffer.compare(one.payload, other.payload) === 0;
}

function compareExpiries(a: Entry, b: Entry): number {
  if (a.expiresMs !== b.expiresMs) return a.expiresMs - b.expiresMs;
  if (a.key === b.key) return 0;
  return a.key < b.key ? -1 : 1;
}
