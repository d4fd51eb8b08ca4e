import { limits, type native } from '@groupcast/protocol';
import { ChannelSubscription } from './channel-subscription.ts';

/** One SUBSCRIBE, and which of its subjects the hub has not answered yet. */
interface Asked {
  readonly waiting: Set<ChannelSubscription>;
  /** Whether it had one subject only. */
  readonly isAlone: boolean;
}

const NONE: ReadonlySet<ChannelSubscription> = new Set();

/** What this client follows, and what of it the hub was asked for and has not answered, or has refused. */
export class SubscriptionTable {
  readonly #channels = new Map<string, ChannelSubscription>();
  readonly #prefixes = new Map<string, ChannelSubscription>();
  readonly #asked = new Map<number, Asked>();
  /** Of a SUBSCRIBE that was refused, which may be due to others in it: each is to be asked for alone. */
  readonly #doubtful = new Set<ChannelSubscription>();
  /** What the hub has refused. */
  readonly #refused = new Set<ChannelSubscription>();
  #round: Iterator<ChannelSubscription> = this.#channels.values();

  get size(): number {
    return this.#channels.size + this.#prefixes.size;
  }

  /** By the name of the channel. */
  get channels(): ReadonlyMap<string, ChannelSubscription> {
    return this.#channels;
  }

  /** By the prefix. */
  get prefixes(): ReadonlyMap<string, ChannelSubscription> {
    return this.#prefixes;
  }

  find(subject: native.Subject): ChannelSubscription | undefined {
    return this.#mapOf(subject).get(subject.name);
  }

  /** The interest for the subject, made when there was none. */
  add(subject: native.Subject): ChannelSubscription {
    const found = this.find(subject);
    if (found !== undefined) return found;
    const interest = new ChannelSubscription(subject);
    this.#mapOf(subject).set(subject.name, interest);
    return interest;
  }

  remove(interest: ChannelSubscription): void {
    this.#mapOf(interest.subject).delete(interest.subject.name);
    // An iterator that stands still holds all that its map has held since, and this one stands still while there is nothing.
    if (this.#channels.size === 0) this.#round = this.#channels.values();
    this.#forget(interest);
  }

  clear(): void {
    this.suspend();
    this.#channels.clear();
    this.#prefixes.clear();
    this.#round = this.#channels.values();
  }

  /** The hub is asked for these in one SUBSCRIBE. An answer to an earlier one is not waited for any more. */
  ask(request: number, interests: readonly ChannelSubscription[]): void {
    for (const interest of interests) {
      this.#answered(interest);
      this.#doubtful.delete(interest);
      interest.request = request;
    }
    this.#asked.set(request, { waiting: new Set(interests), isAlone: interests.length === 1 });
  }

  /** Whether the hub has not answered yet. */
  isAsked(interest: ChannelSubscription): boolean {
    return this.#asked.get(interest.request)?.waiting.has(interest) ?? false;
  }

  /** The hub has said where a subject stands. `undefined` when the answer is for nobody any more. */
  settle(request: number, subject: native.Subject): ChannelSubscription | undefined {
    const interest = this.find(subject);
    if (interest?.request !== request) return undefined;
    this.#forget(interest);
    return interest;
  }

  /**
   * The hub has refused a request. What was asked for alone is refused; returned when it was not refused before. Of several one at least
   * is, and nobody knows which.
   */
  refuse(request: number): ChannelSubscription | undefined {
    const asked = this.#asked.get(request);
    this.#asked.delete(request);
    let fresh: ChannelSubscription | undefined;
    for (const interest of asked?.waiting ?? NONE) {
      // It was only asked where it stands.
      if (interest.isSubscribed) continue;
      if (asked?.isAlone !== true) {
        this.#doubtful.add(interest);
        continue;
      }
      // Behind those that were refused earlier, whose turn to be asked for again comes first.
      if (!this.#refused.delete(interest)) fresh = interest;
      this.#refused.add(interest);
    }
    return fresh;
  }

  /** Some of what has to be asked for alone, so that at most `max` requests wait for an answer. */
  takeDoubtful(max: number): readonly ChannelSubscription[] {
    const found: ChannelSubscription[] = [];
    for (const interest of this.#doubtful) {
      if (this.#asked.size + found.length >= max) break;
      found.push(interest);
    }
    for (const interest of found) this.#doubtful.delete(interest);
    return found;
  }

  /** Some of what the hub has refused and is not asked for at the moment, at most `max`. */
  toAskAgain(max: number): readonly ChannelSubscription[] {
    const found: ChannelSubscription[] = [];
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
    this.#doubtful.clear();
    this.#refused.clear();
  }

  all(): ChannelSubscription[] {
    return [...this.#channels.values(), ...this.#prefixes.values()];
  }

  /** The next so many channels, in rounds over all of them; none twice, and not more than there are. */
  nextChannels(count: number): ChannelSubscription[] {
    const found: ChannelSubscription[] = [];
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

  /** Nothing is to be asked about it any more. */
  #forget(interest: ChannelSubscription): void {
    this.#refused.delete(interest);
    this.#doubtful.delete(interest);
    this.#answered(interest);
  }

  #answered(interest: ChannelSubscription): void {
    const waiting = this.#asked.get(interest.request)?.waiting;
    waiting?.delete(interest);
    if (waiting?.size === 0) this.#asked.delete(interest.request);
  }

  #mapOf(subject: native.Subject): Map<string, ChannelSubscription> {
    return subject.prefix ? this.#prefixes : this.#channels;
  }
}

/** The same interests, in portions that fit a SUBSCRIBE. */
export function* batchesOf(
  interests: readonly ChannelSubscription[],
): Generator<readonly ChannelSubscription[]> {
  for (let at = 0; at < interests.length; at += limits.CHANNELS_PER_FRAME_MAX) {
    yield interests.slice(at, at + limits.CHANNELS_PER_FRAME_MAX);
  }
}
