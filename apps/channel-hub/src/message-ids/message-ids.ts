import { hash, randomInt } from 'node:crypto';
import type { native } from '@groupcast/protocol';
import { IdSteps } from './id-steps.ts';

/** A power of two: two owners rarely have one share. */
const SHARES = 256;

/** The number of steps of one share is limited by a small multiple of the logarithm of this. */
const STEP_SHARE = 1 / 1_024;

/**
 * Offsets of stored message ids: each for `keptMs` and up to an eighth more, at most `idsMax`. Each
 * id has an owner: the sender of a publication, or the queue of an item, which has no offset. Above
 * the limit, the share with the most ids forgets its oldest step, an eighth of them.
 */
export class MessageIds {
  readonly #keptMs: number;
  readonly #idsMax: number;
  readonly #seed: number = randomInt(2 ** 31);
  readonly #shares: readonly IdSteps[];
  #size = 0;
  #dropped = 0;

  /** `clock` returns milliseconds that never decrease. */
  constructor(keptMs: number, idsMax: number, clock: () => number = () => performance.now()) {
    this.#keptMs = keptMs;
    this.#idsMax = idsMax;
    this.#shares = Array.from({ length: SHARES }, () => new IdSteps(idsMax * STEP_SHARE, clock));
  }

  get size(): number {
    return this.#size;
  }

  /** Ids forgotten early because of the limit. */
  get dropped(): number {
    return this.#dropped;
  }

  /** `key` must be that of a publication or an item of the owner. */
  offsetOf(owner: string, key: string): number | undefined {
    return this.#shareOf(owner)?.offsetOf(key);
  }

  has(owner: string, key: string): boolean {
    return this.offsetOf(owner, key) !== undefined;
  }

  /** The key must be unknown. */
  add(owner: string, key: string, offset = 0): void {
    if (this.#size >= this.#idsMax) this.#forgetSome();
    this.#shareOf(owner)?.add(key, offset);
    this.#size += 1;
  }

  /** Forgets one id, if it is known. */
  forget(owner: string, key: string): void {
    if (this.#shareOf(owner)?.forget(key)) this.#size -= 1;
  }

  /** Forgets expired ids. The owner calls it often. */
  sweep(): void {
    for (const share of this.#shares) this.#size -= share.sweep(this.#keptMs);
  }

  /** The seed makes the shares unpredictable. */
  #shareOf(owner: string): IdSteps | undefined {
    let sum = this.#seed;
    for (let index = 0; index < owner.length; index++)
      sum = Math.imul(sum ^ owner.charCodeAt(index), 0x01000193);
    return this.#shares[(sum ^ (sum >>> 15)) & (SHARES - 1)];
  }

  #forgetSome(): void {
    const heaviest = this.#shares.reduce((most, share) => (share.size > most.size ? share : most));
    const count = heaviest.forgetOldest();
    this.#dropped += count;
    this.#size -= count;
  }
}

/**
 * Returns the key of a publication's message id. A hash, so that long ids cost no more than short
 * ones: a million take about 100 MB.
 */
export function messageKey({ channel, sender, messageId }: native.Publication): string {
  // No channel has a line feed, and the length delimits the sender: two keys never have the same
  // text.
  return hash('sha256', `${channel}\n${sender.length} ${sender}${messageId}`, 'binary');
}

/** Returns the key of an item's message id, a hash as well. */
export function itemKey(queue: string, messageId: string): string {
  // No queue has a line feed.
  return hash('sha256', `${queue}\n${messageId}`, 'binary');
}
