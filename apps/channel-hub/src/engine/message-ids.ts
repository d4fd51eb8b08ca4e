import { hash } from 'node:crypto';
import type { native } from '@groupcast/protocol';

/** The time that ids are known for is counted in steps of this part of it. */
const STEPS = 8;

/** Ids that came in one step of time. */
class Step {
  readonly ids = new Map<string, number>();
  /** No id in it is older, in milliseconds of `performance.now`. */
  sinceMs: number = performance.now();
  /** No id in it is newer; only of a step that is over. */
  untilMs: number = Number.POSITIVE_INFINITY;
}

/**
 * Which message ids were stored, and with which offset: each for `keptMs` and up to an eighth more, and `idsMax` at most. An id belongs to its
 * channel and its sender. Ids that came together are forgotten together, so that nobody has to look for the oldest.
 */
export class MessageIds {
  readonly #keptMs: number;
  readonly #idsMax: number;
  // Those that are over, oldest first.
  #past: Step[] = [];
  #current = new Step();
  #size = 0;
  #dropped = 0;

  constructor(keptMs: number, idsMax: number) {
    this.#keptMs = keptMs;
    this.#idsMax = idsMax;
  }

  get size(): number {
    return this.#size;
  }

  /** Ids that were forgotten before their time. */
  get dropped(): number {
    return this.#dropped;
  }

  offsetOf(key: string): number | undefined {
    const known = this.#current.ids.get(key);
    if (known !== undefined) return known;
    for (let index = this.#past.length - 1; index >= 0; index--) {
      const offset = this.#past[index]?.ids.get(key);
      if (offset !== undefined) return offset;
    }
    return undefined;
  }

  /** Only for a key that is not known. */
  add(key: string, offset: number): void {
    if (this.#current.ids.size >= this.#idsMax / STEPS) this.#beginStep();
    this.#current.ids.set(key, offset);
    this.#size += 1;
  }

  /** Forgets what is known for long enough. To be called often. */
  sweep(): void {
    const { ids, sinceMs } = this.#current;
    const nowMs = performance.now();
    if (ids.size === 0) this.#current.sinceMs = nowMs;
    else if (nowMs - sinceMs >= this.#keptMs / STEPS) this.#beginStep();
    while ((this.#past[0]?.untilMs ?? nowMs) <= nowMs - this.#keptMs) this.#forgetOldest();
  }

  #beginStep(): void {
    this.#current.untilMs = performance.now();
    this.#past.push(this.#current);
    this.#current = new Step();
    while (this.#size + this.#idsMax / STEPS > this.#idsMax) this.#dropped += this.#forgetOldest();
  }

  /** Answers how many ids that were. */
  #forgetOldest(): number {
    const count = this.#past.shift()?.ids.size ?? 0;
    this.#size -= count;
    return count;
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
