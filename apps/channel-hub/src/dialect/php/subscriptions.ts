import { limits, type native } from '@groupcast/protocol';
import type { PhpDialect, PhpRequests, PhpShared } from './dialect.ts';
import { tooManyEvents } from './name-errors.ts';

/** All groups' channels. */
const GROUPS: native.Subject = { name: limits.GROUP_CHANNEL_PREFIX, prefix: true };

/** The events that one PHP peer has subscribed to. */
export class PhpSubscriptions {
  readonly #session: PhpRequests;
  readonly #shared: PhpShared;
  /** Whose they are, when an event goes to one peer of several. */
  readonly #peer: PhpDialect;
  /** What its frames are recalled by, of each event. */
  readonly #keys = new Map<string, string>();
  readonly #bridged = new Set<string>();

  constructor(session: PhpRequests, shared: PhpShared, peer: PhpDialect) {
    this.#session = session;
    this.#shared = shared;
    this.#peer = peer;
  }

  /** Those that are bridged to groups. */
  get bridged(): ReadonlySet<string> {
    return this.#bridged;
  }

  /** What frames of the event are recalled by; undefined for one that is not subscribed to. */
  keyOf(event: string): string | undefined {
    return this.#keys.get(event);
  }

  subscribe(events: readonly string[]): void {
    const subjects: native.Subject[] = [];
    for (const event of events) {
      // A client subscribes twice when it connects.
      if (!this.#keys.has(event)) this.#add(event, subjects);
    }
    if (subjects.length > 0) this.#session.subscribe(undefined, subjects);
  }

  unsubscribe(events: readonly string[]): void {
    for (const event of events) {
      if (this.#keys.has(event)) this.#remove(event);
    }
  }

  /** The session is over. */
  ended(): void {
    for (const event of this.#keys.keys()) this.#shared.turns.leave(event, this.#peer);
  }

  /** Drops the event where there is no room: a closed client would subscribe to the same again. */
  #add(event: string, subjects: native.Subject[]): void {
    const { bridgedEvents, channelsPerPeerMax, turns } = this.#shared;
    const isBridged = bridgedEvents.has(event);
    const added = isBridged && this.#bridged.size === 0 ? [GROUPS] : [];
    const followed = this.#keys.size + Math.min(this.#bridged.size, 1);
    if (followed + 1 + added.length > channelsPerPeerMax) {
      this.#session.drop(tooManyEvents(channelsPerPeerMax));
      return;
    }
    this.#keys.set(event, eventKey(event));
    turns.join(event, this.#peer);
    if (isBridged) this.#bridged.add(event);
    subjects.push({ name: event, prefix: false }, ...added);
  }

  #remove(event: string): void {
    this.#keys.delete(event);
    this.#shared.turns.leave(event, this.#peer);
    const isLast = this.#bridged.delete(event) && this.#bridged.size === 0;
    const subject = { name: event, prefix: false };
    this.#session.unsubscribe(isLast ? [subject, GROUPS] : [subject]);
    // The client has no callback for it any more, and an event without one ends its process.
    this.#session.recall(eventKey(event));
  }
}

/** What is recalled together. Queues have other keys, though names may be the same. */
function eventKey(event: string): string {
  return `event ${event}`;
}
