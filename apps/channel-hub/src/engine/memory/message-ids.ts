import { hash, randomInt } from 'node:crypto';
import type { native } from '@groupcast/protocol';
import { IdSteps } from './id-steps.ts';

/** A power of two: two senders have one share by chance only. */
const SHARES = 256;

/** The most steps that one share's ids are in is a small multiple of the logarithm of this. */
const STEP_SHARE = 1 / 1_024;

/**
 * Which message ids were stored, and with which offset: each for `keptMs` and up to an eighth more, and `idsMax` at most. An id belongs to its
 * channel and its sender. When there are too many, the oldest of the share that holds most are forgotten, an eighth of them together.
 */
export class MessageIds {
  readonly #keptMs: number;
  readonly #idsMax: number;
  readonly #seed: number = randomInt(2 ** 31);
  readonly #shares: readonly IdSteps[];
  #size = 0;
  #dropped = 0;

  constructor(keptMs: number, idsMax: number) {
    this.#keptMs = keptMs;
    this.#idsMax = idsMax;
    this.#shares = Array.from({ length: SHARES }, () => new IdSteps(idsMax * STEP_SHARE));
  }

  get size(): number {
    return this.#size;
  }

  /** Ids that were forgotten before their time. */
  get dropped(): number {
    return this.#dropped;
  }

  /** `key` is that of a publication of the sender. */
  offsetOf(sender: string, key: string): number | undefined {
    return this.#shareOf(sender)?.offsetOf(key);
  }

  /** Only for a key that is not known. */
  add(sender: string, key: string, offset: number): void {
    if (this.#size >= this.#idsMax) this.#forgetSome();
    this.#shareOf(sender)?.add(key, offset);
    this.#size += 1;
  }

  /** Forgets what is known for long enough. To be called often. */
  sweep(): void {
    for (const share of this.#shares) this.#size -= share.sweep(this.#keptMs);
  }

  /** Nobody outside can know who has which share. */
  #shareOf(sender: string): IdSteps | undefined {
    let sum = this.#seed;
    for (let index = 0; index < sender.length; index++)
      sum = Math.imul(sum ^ sender.charCodeAt(index), 0x01000193);
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
 * What a publication's message id is known by. A hash, so that a long id costs no more than a short one: a million of them are about
 * 100 MB.
 */
export function messageKey({ channel, sender, messageId }: native.Publication): string {
  // No channel holds a line feed, and the length says where the sender ends: two keys are never the same text.
  return hash('sha256', `${channel}\n${sender.length} ${sender}${messageId}`, 'binary');
}
