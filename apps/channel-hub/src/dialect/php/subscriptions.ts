import { limits, type native } from '@groupcast/protocol';
import type { Requests } from '../dialect.ts';
import type { EventReceiver, PhpDeps } from './deps.ts';
import { tooManyEvents } from './name-errors.ts';

/** The channels of all groups. */
const GROUPS: native.Subject = { name: limits.GROUP_CHANNEL_PREFIX, prefix: true };

/** The events that one PHP peer is subscribed to. */
export class PhpSubscriptions {
  readonly #peer: Requests;
  readonly #deps: PhpDeps;
  readonly #receiver: EventReceiver;
  /** By event, the key that its frames are recalled by. */
  readonly #keys = new Map<string, string>();
  readonly #bridged = new Set<string>();

  /** `receiver` gets the events that go to one peer of several. */
  constructor(peer: Requests, deps: PhpDeps, receiver: EventReceiver) {
    this.#peer = peer;
    this.#deps = deps;
    this.#receiver = receiver;
  }

  /** The events among them that are bridged to groups. */
  get bridged(): ReadonlySet<string> {
    return this.#bridged;
  }

  /** Returns the key of an event's frames; undefined for one that is not subscribed to. */
  keyOf(event: string): string | undefined {
    return this.#keys.get(event);
  }

  subscribe(events: readonly string[]): void {
    const subjects: native.Subject[] = [];
    for (const event of events) {
      // A client subscribes twice when it connects.
      if (!this.#keys.has(event)) this.#add(event, subjects);
    }
    if (subjects.length > 0) this.#peer.subscribe(undefined, subjects);
  }

  unsubscribe(events: readonly string[]): void {
    for (const event of events) {
      if (this.#keys.has(event)) this.#remove(event);
    }
  }

  /** The peer has left. */
  ended(): void {
    for (const event of this.#keys.keys()) this.#deps.roundRobin.leave(event, this.#receiver);
  }

  /** Drops the event beyond the limit. A peer that was closed would subscribe to the same again. */
  #add(event: string, subjects: native.Subject[]): void {
    const { bridgedEvents, channelsPerPeerMax, roundRobin } = this.#deps;
    const isBridged = bridgedEvents.has(event);
    const added = isBridged && this.#bridged.size === 0 ? [GROUPS] : [];
    const subscribed = this.#keys.size + Math.min(this.#bridged.size, 1);
    if (subscribed + 1 + added.length > channelsPerPeerMax) {
      this.#peer.drop(tooManyEvents(channelsPerPeerMax));
      return;
    }
    this.#keys.set(event, eventKey(event));
    roundRobin.join(event, this.#receiver);
    if (isBridged) this.#bridged.add(event);
    subjects.push({ name: event, prefix: false }, ...added);
  }

  #remove(event: string): void {
    this.#keys.delete(event);
    this.#deps.roundRobin.leave(event, this.#receiver);
    const isLast = this.#bridged.delete(event) && this.#bridged.size === 0;
    const subject = { name: event, prefix: false };
    this.#peer.unsubscribe(isLast ? [subject, GROUPS] : [subject]);
    // The client has no callback any more, and an event without one ends its process.
    this.#peer.output.recall(eventKey(event));
  }
}

/** Returns the key of an event. Queues have other keys, as names may be the same. */
function eventKey(event: string): string {
  return `event ${event}`;
}
