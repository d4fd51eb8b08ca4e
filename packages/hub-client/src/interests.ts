import { limits, type native, type Position } from '@groupcast/protocol';

/** Who gets the publications of a channel. One object may serve any number of channels. */
export interface Subscriber {
  /** Each publication, in the order of its offsets (`publication.number`). The payload is valid as long as it is referred to. */
  deliver(publication: native.Publication): void;
  /** After every subscription and resubscription: what is delivered from here on comes after `position`. */
  subscribed?(subject: native.Subject, position: Position): void;
}

/** One subject that somebody here follows. */
export interface Interest {
  readonly subject: native.Subject;
  readonly subscribers: Set<Subscriber>;
  /** Number of the last SUBSCRIBE for it: answers to earlier ones, from before an unsubscribe, are not for this interest. */
  request: number;
  /** Where it stands; `undefined` until the hub has said so on this connection. */
  position: Position | undefined;
}

/** What this client follows, and so has to ask for again after a reconnect. */
export class Interests {
  readonly #channels = new Map<string, Interest>();
  readonly #prefixes = new Map<string, Interest>();
  /** By request, what the hub has not answered yet. */
  readonly #asked = new Map<number, Set<Interest>>();
  /** What the hub has refused. */
  readonly #refused = new Set<Interest>();

  get size(): number {
    return this.#channels.size + this.#prefixes.size;
  }

  find(subject: native.Subject): Interest | undefined {
    return this.#mapOf(subject).get(subject.name);
  }

  /** The interest for the subject, made when there was none. */
  add(subject: native.Subject): Interest {
    const found = this.find(subject);
    if (found !== undefined) return found;
    const interest: Interest = { subject, subscribers: new Set(), request: 0, position: undefined };
    this.#mapOf(subject).set(subject.name, interest);
    return interest;
  }

  remove(interest: Interest): void {
    this.#mapOf(interest.subject).delete(interest.subject.name);
    this.#refused.delete(interest);
    this.#answered(interest);
  }

  /** The hub is asked for these in one SUBSCRIBE. */
  ask(request: number, interests: readonly Interest[]): void {
    for (const interest of interests) interest.request = request;
    this.#asked.set(request, new Set(interests));
  }

  /** The hub has said where a subject stands. `undefined` when the answer is for nobody any more. */
  settle(request: number, entry: native.SubscribedEntry): Interest | undefined {
    const interest = this.find(entry);
    if (interest?.request !== request) return undefined;
    interest.position = entry.position;
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
      if (!this.#asked.has(interest.request)) found.push(interest);
    }
    return found;
  }

  /** Nothing is live any more: the connection is gone. */
  suspend(): void {
    for (const interest of this.#channels.values()) interest.position = undefined;
    for (const interest of this.#prefixes.values()) interest.position = undefined;
    this.#asked.clear();
    this.#refused.clear();
  }

  /** Everything, in portions that fit a SUBSCRIBE. */
  *batches(): Generator<Interest[]> {
    let batch: Interest[] = [];
    for (const interests of [this.#channels, this.#prefixes]) {
      for (const interest of interests.values()) {
        batch.push(interest);
        if (batch.length < limits.CHANNELS_PER_FRAME_MAX) continue;
        yield batch;
        batch = [];
      }
    }
    if (batch.length > 0) yield batch;
  }

  /** Hands a publication to everybody who follows its channel, by name or by prefix. */
  deliver(publication: native.Publication): void {
    const interest = this.#channels.get(publication.channel);
    if (interest !== undefined) deliverTo(interest, publication);
    for (const [prefix, interest] of this.#prefixes) {
      if (publication.channel.startsWith(prefix)) deliverTo(interest, publication);
    }
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

function deliverTo(interest: Interest, publication: native.Publication): void {
  // Not live: a leftover of a subscription that was given up and taken again.
  if (interest.position === undefined) return;
  const { epoch } = interest.position;
  for (const subscriber of interest.subscribers) subscriber.deliver(publication);
  // Not before: somebody who subscribes meanwhile still gets this publication, and is told a position before it.
  if (!interest.subject.prefix) interest.position = { epoch, offset: publication.number };
}
