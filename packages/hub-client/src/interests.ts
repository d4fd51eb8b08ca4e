import { limits, type native } from '@groupcast/protocol';
import { Interest } from './interest.ts';

/** What this client follows, and what of it the hub was asked for and has not answered, or has refused. */
export class Interests {
  readonly #channels = new Map<string, Interest>();
  readonly #prefixes = new Map<string, Interest>();
  /** By request, what the hub has not answered yet. */
  readonly #asked = new Map<number, Set<Interest>>();
  /** What the hub has refused. */
  readonly #refused = new Set<Interest>();
  #round: Iterator<Interest> = this.#channels.values();

  get size(): number {
    return this.#channels.size + this.#prefixes.size;
  }

  /** By the name of the channel. */
  get channels(): ReadonlyMap<string, Interest> {
    return this.#channels;
  }

  /** By the prefix. */
  get prefixes(): ReadonlyMap<string, Interest> {
    return this.#prefixes;
  }

  find(subject: native.Subject): Interest | undefined {
    return this.#mapOf(subject).get(subject.name);
  }

  /** The interest for the subject, made when there was none. */
  add(subject: native.Subject): Interest {
    const found = this.find(subject);
    if (found !== undefined) return found;
    const interest = new Interest(subject);
    this.#mapOf(subject).set(subject.name, interest);
    return interest;
  }

  remove(interest: Interest): void {
    this.#mapOf(interest.subject).delete(interest.subject.name);
    // An iterator that stands still holds all that its map has held since, and this one stands still while there is nothing.
    if (this.#channels.size === 0) this.#round = this.#channels.values();
    this.#refused.delete(interest);
    this.#answered(interest);
  }

  clear(): void {
    this.suspend();
    this.#channels.clear();
    this.#prefixes.clear();
    this.#round = this.#channels.values();
  }

  /** The hub is asked for these in one SUBSCRIBE. An answer to an earlier one is not waited for any more. */
  ask(request: number, interests: readonly Interest[]): void {
    for (const interest of interests) {
      this.#answered(interest);
      interest.request = request;
    }
    this.#asked.set(request, new Set(interests));
  }

  /** Whether the hub has not answered yet. */
  isAsked(interest: Interest): boolean {
    return this.#asked.get(interest.request)?.has(interest) ?? false;
  }

  /** The hub has said where a subject stands. `undefined` when the answer is for nobody any more. */
  settle(request: number, subject: native.Subject): Interest | undefined {
    const interest = this.find(subject);
    if (interest?.request !== request) return undefined;
    this.#refused.delete(interest);
    this.#answered(interest);
    return interest;
  }

  /** The hub has refused what is still wanted of a request. Answers with what it had not refused before. */
  refuse(request: number): readonly Interest[] {
    const interests = [...(this.#asked.get(request) ?? [])];
    this.#asked.delete(request);
    const fresh = interests.filter((interest) => !this.#refused.has(interest));
    for (const interest of interests) {
      // Behind those that were refused earlier, whose turn to be asked for again comes first.
      this.#refused.delete(interest);
      this.#refused.add(interest);
    }
    return fresh;
  }

  /** Some of what the hub has refused and is not asked for at the moment, at most so many. */
  toAskAgain(max: number): readonly Interest[] {
    const found: Interest[] = [];
    for (const interest of this.#refused) {
      if (found.length === max) break;
      if (!this.isAsked(interest)) found.push(interest);
    }
    return found;
  }

  /** The connection is gone: nothing is live any more, and no answer comes. */
  suspend(): void {
    for (const interests of [this.#channels, this.#prefixes]) {
      for (const interest of interests.values()) {
        if (interest.state !== 'new') interest.state = 'suspended';
      }
    }
    this.#asked.clear();
    this.#refused.clear();
  }

  all(): Interest[] {
    return [...this.#channels.values(), ...this.#prefixes.values()];
  }

  /** The next so many channels, in rounds over all of them; none twice, and not more than there are. */
  nextChannels(count: number): Interest[] {
    const found: Interest[] = [];
    for (let left = Math.min(count, this.#channels.size); left > 0; ) {
      const next = this.#round.next();
      if (next.done) {
        this.#round = this.#channels.values();
      } else {
        found.push(next.value);
        left -= 1;
      }
    }
    return found;
  }

  #answered(interest: Interest): void {
    const asked = this.#asked.get(interest.request);
    asked?.delete(interest);
    if (asked?.size === 0) this.#asked.delete(interest.request);
  }

  #mapOf(subject: native.Subject): Map<string, Interest> {
    return subject.prefix ? this.#prefixes : this.#channels;
  }
}

/** The same interests, in portions that fit a SUBSCRIBE. */
export function* batchesOf(interests: readonly Interest[]): Generator<readonly Interest[]> {
  for (let at = 0; at < interests.length; at += limits.CHANNELS_PER_FRAME_MAX) {
    yield interests.slice(at, at + limits.CHANNELS_PER_FRAME_MAX);
  }
}
