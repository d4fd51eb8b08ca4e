import { limits, type native } from '@groupcast/protocol';
import { ChannelSubscription, type SubscribeRequest } from './channel-subscription.ts';

/**
 * The subscriptions of a client, and which of them the hub has to be asked for, or has rejected.
 */
export class SubscriptionTable {
  readonly #channels = new Map<string, ChannelSubscription>();
  readonly #prefixes = new Map<string, ChannelSubscription>();
  /** Requests that the hub has not answered. */
  readonly #requests = new Map<number, SubscribeRequest>();
  /** From rejected requests with several subjects: each is to be requested by itself. */
  readonly #doubtful = new Set<ChannelSubscription>();
  readonly #rejected = new Set<ChannelSubscription>();
  /** Place of the next round-robin check of positions. */
  #round: Iterator<ChannelSubscription> = this.#channels.values();

  get size(): number {
    return this.#channels.size + this.#prefixes.size;
  }

  /** Subscriptions to channels, by name. */
  get channels(): ReadonlyMap<string, ChannelSubscription> {
    return this.#channels;
  }

  /** Subscriptions to prefixes, by prefix. */
  get prefixes(): ReadonlyMap<string, ChannelSubscription> {
    return this.#prefixes;
  }

  find(subject: native.Subject): ChannelSubscription | undefined {
    return this.#mapOf(subject).get(subject.name);
  }

  /** Returns the subscription to a subject, and creates it if it does not exist. */
  add(subject: native.Subject): ChannelSubscription {
    const found = this.find(subject);
    if (found !== undefined) return found;
    const subscription = new ChannelSubscription(subject);
    this.#mapOf(subject).set(subject.name, subscription);
    return subscription;
  }

  remove(subscription: ChannelSubscription): void {
    this.#mapOf(subscription.subject).delete(subscription.subject.name);
    // An iterator that does not advance keeps all deleted entries, and there is nothing to check
    // now.
    if (this.#channels.size === 0) this.#round = this.#channels.values();
    this.#settle(subscription);
  }

  clear(): void {
    this.suspend();
    this.#channels.clear();
    this.#prefixes.clear();
    this.#round = this.#channels.values();
  }

  /** Adds a SUBSCRIBE for these subscriptions. Answers to earlier ones are ignored from now on. */
  addRequest(number: number, subscriptions: readonly ChannelSubscription[]): SubscribeRequest {
    const request = { number, pending: new Set(subscriptions), isSingle: subscriptions.length === 1 };
    for (const subscription of subscriptions) {
      this.#endRequest(subscription);
      this.#doubtful.delete(subscription);
      subscription.request = request;
    }
    this.#requests.set(number, request);
    return request;
  }

  /** Whether the hub has not answered for some subjects of a request. */
  isPending(number: number): boolean {
    return this.#requests.has(number);
  }

  /** Handles the hub's answer for one subject. Returns `undefined` for an outdated answer. */
  accept(number: number, subject: native.Subject): ChannelSubscription | undefined {
    const subscription = this.find(subject);
    if (subscription?.request?.number !== number) return undefined;
    this.#settle(subscription);
    return subscription;
  }

  /**
   * Handles that the hub rejected a request. Returns the subscription where this rejects one for
   * the first time on this connection. With several subjects it is unknown which one caused the
   * error.
   */
  reject(request: SubscribeRequest): ChannelSubscription | undefined {
    this.#requests.delete(request.number);
    let fresh: ChannelSubscription | undefined;
    for (const subscription of request.pending) {
      subscription.request = undefined;
      // The hub delivers it already; the request was for the position only.
      if (subscription.isSubscribed) continue;
      if (!request.isSingle) {
        this.#doubtful.add(subscription);
        continue;
      }
      // Moves it behind the others, which are retried first.
      if (!this.#rejected.delete(subscription)) fresh = subscription;
      this.#rejected.add(subscription);
    }
    return fresh;
  }

  /** Removes and returns doubtful subscriptions while at most `max` requests are pending. */
  takeDoubtful(max: number): readonly ChannelSubscription[] {
    const found: ChannelSubscription[] = [];
    for (const subscription of this.#doubtful) {
      if (this.#requests.size + found.length >= max) break;
      found.push(subscription);
    }
    for (const subscription of found) this.#doubtful.delete(subscription);
    return found;
  }

  /** Returns at most `max` rejected subscriptions without a pending request. */
  toRetry(max: number): readonly ChannelSubscription[] {
    const found: ChannelSubscription[] = [];
    for (const subscription of this.#rejected) {
      if (found.length === max) break;
      if (subscription.request === undefined) found.push(subscription);
    }
    return found;
  }

  /** Handles the end of the connection. */
  suspend(): void {
    for (const subscriptions of [this.#channels, this.#prefixes]) {
      for (const subscription of subscriptions.values()) {
        if (subscription.state !== 'new') subscription.state = 'suspended';
        subscription.request = undefined;
      }
    }
    this.#requests.clear();
    this.#doubtful.clear();
    this.#rejected.clear();
  }

  all(): ChannelSubscription[] {
    return [...this.#channels.values(), ...this.#prefixes.values()];
  }

  /** Returns the next channels, in rounds over all: each once, at most `count`. */
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

  /** Ends all that is pending for a subscription. */
  #settle(subscription: ChannelSubscription): void {
    this.#rejected.delete(subscription);
    this.#doubtful.delete(subscription);
    this.#endRequest(subscription);
  }

  #endRequest(subscription: ChannelSubscription): void {
    const { request } = subscription;
    if (request === undefined) return;
    subscription.request = undefined;
    request.pending.delete(subscription);
    if (request.pending.size === 0) this.#requests.delete(request.number);
  }

  #mapOf(subject: native.Subject): Map<string, ChannelSubscription> {
    return subject.prefix ? this.#prefixes : this.#channels;
  }
}

/** Splits subscriptions into batches that fit a SUBSCRIBE each. */
export function* batchesOf(
  subscriptions: readonly ChannelSubscription[],
): Generator<readonly ChannelSubscription[]> {
  for (let start = 0; start < subscriptions.length; start += limits.CHANNELS_PER_FRAME_MAX) {
    yield subscriptions.slice(start, start + limits.CHANNELS_PER_FRAME_MAX);
  }
}
