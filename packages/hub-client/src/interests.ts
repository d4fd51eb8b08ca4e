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
  }

  /** Nothing is live any more: the connection is gone. */
  suspend(): void {
    for (const interest of this.#channels.values()) interest.position = undefined;
    for (const interest of this.#prefixes.values()) interest.position = undefined;
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

  /** What was asked for in one SUBSCRIBE, less what was given up since. */
  ofRequest(request: number): native.Subject[] {
    const all = [...this.#channels.values(), ...this.#prefixes.values()];
    return all.filter((interest) => interest.request === request).map((interest) => interest.subject);
  }

  /** Hands a publication to everybody who follows its channel, by name or by prefix. */
  deliver(publication: native.Publication): void {
    const interest = this.#channels.get(publication.channel);
    if (interest !== undefined) deliverTo(interest, publication);
    for (const [prefix, interest] of this.#prefixes) {
      if (publication.channel.startsWith(prefix)) deliverTo(interest, publication);
    }
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
