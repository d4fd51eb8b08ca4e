import { EventEmitter } from 'node:events';
import { type native, type Position, ProtocolError } from '@groupcast/protocol';
import { callEachUser } from '../connection/call-user.ts';
import type { HistoryAnswer, HistoryPage, HistoryRead } from '../history/history-page.ts';
import type { PublishOptions } from '../publishing/publish-frame.ts';
import type { Subscriber, Subscription } from '../subscriptions/channel-subscription.ts';
import { ExpiryTimer } from './expiry-timer.ts';
import { KeyedEntries, type KeyedValue, type Origin } from './keyed-entries.ts';

/**
 * Events of `KeyedMap`. An exception of a listener is an uncaught exception of the process, and
 * disturbs nothing else.
 */
export interface KeyedMapEvents {
  /** A key has a new value, or none any more. Also while values are loaded. */
  change: [key: string, value: KeyedValue | undefined];
  /** All values are loaded: for the first time, or again after a loss. */
  ready: [];
  /**
   * The hub rejected the subscription, or values could not be loaded. The map asks the hub again
   * every second.
   */
  failed: [error: ProtocolError];
}

export interface KeyedSetOptions extends Omit<PublishOptions, 'ephemeral' | 'keyed'> {
  /** Milliseconds until the value expires, from when the hub has it. Default 0: never. */
  readonly lifeMs?: number | undefined;
}

/** The part of a client that a keyed map uses. */
export interface KeyedMapDeps {
  subscribe(channel: string, subscriber: Subscriber): Subscription;
  unsubscribe(channel: string, subscriber: Subscriber): void;
  /** Reads the page of a snapshot after a key; '' for the first page. */
  readSnapshot(
    channel: string,
    afterKey: string,
    answer: HistoryAnswer<native.HistoryVerdict>,
    owner: object,
  ): HistoryRead;
  publish(channel: string, payload: string | Uint8Array, options: PublishOptions): Promise<Position>;
  /** Called once, when the map is closed. */
  closed(map: KeyedMap): void;
}

/**
 *     waiting -> loading -> settling -> ready        any -> closed
 *                   ^          |          |
 *                   +----------+----------+
 *
 * - `waiting`: the hub has not accepted the subscription.
 * - `loading`: the pages of a snapshot are read. Deliveries are applied meanwhile.
 * - `settling`: all pages are there, and the subscription still recovers what precedes the last.
 *   An older value that it delivers is followed by the newer one.
 */
type KeyedMapState = 'waiting' | 'loading' | 'settling' | 'ready' | 'closed';

/**
 * Live map of a keyed channel: the values of all keys, as the hub has them. It loads them, applies
 * each publication, drops expired values by its own clock, and loads again after a loss. Over a
 * lost link it keeps the last known values.
 */
export class KeyedMap extends EventEmitter<KeyedMapEvents> {
  readonly channel: string;
  readonly #deps: KeyedMapDeps;
  readonly #subscriber: Subscriber;
  readonly #subscription: Subscription;
  readonly #entries: KeyedEntries;
  readonly #timer: ExpiryTimer;
  #state: KeyedMapState = 'waiting';
  #read: HistoryRead | undefined;
  #afterKey = '';
  #isStalled = false;
  /** Position from which on the map has all values. */
  #readyFrom: Position = { epoch: '', offset: 0 };

  /** Throws a ProtocolError `bad_channel` for an invalid name. */
  constructor(channel: string, deps: KeyedMapDeps) {
    super();
    this.channel = channel;
    this.#deps = deps;
    this.#entries = new KeyedEntries((key, value) => this.#notify('change', key, value));
    this.#timer = new ExpiryTimer(this.#entries);
    this.#subscriber = {
      subscribed: () => this.#load(),
      lost: () => this.#load(),
      deliver: (publication) => this.#deliver(publication),
      rejected: (_subject, error) => this.#notify('failed', error),
    };
    this.#subscription = deps.subscribe(channel, this.#subscriber);
  }

  /** Number of keys with a value. */
  get size(): number {
    return this.#entries.size;
  }

  /** Whether all values are loaded. */
  get isReady(): boolean {
    return this.#state === 'ready';
  }

  get(key: string): KeyedValue | undefined {
    return this.#entries.get(key);
  }

  has(key: string): boolean {
    return this.#entries.get(key) !== undefined;
  }

  /** Returns the remaining life of a value, in milliseconds: Infinity if it does not expire. */
  lifeMs(key: string): number | undefined {
    return this.#entries.lifeMs(key, performance.now());
  }

  /** Returns the keys, in no particular order. */
  keys(): IterableIterator<string> {
    return this.#entries.keys();
  }

  /** Returns keys and values, in no particular order. */
  entries(): IterableIterator<[string, KeyedValue]> {
    return this.#entries.entries();
  }

  /**
   * Publishes a value, and resolves with its position once the hub has it. This map has it when the
   * hub delivers it, before or after that. Rejects as `HubClient.publish` does, with `keys_full`
   * when the hub has no room, and with `bad_field` for an empty payload.
   */
  set(key: string, payload: string | Uint8Array, options: KeyedSetOptions = {}): Promise<Position> {
    if (payload?.length === 0) {
      const sentence = 'payload is empty, which removes the key. Call delete for that.';
      return Promise.reject(new ProtocolError('bad_field', sentence));
    }
    const { lifeMs, ...publish } = options;
    return this.#deps.publish(this.channel, payload, { ...publish, keyed: { key, lifeMs } });
  }

  /** Removes a key, which need not have a value. Resolves and rejects as `set` does. */
  delete(key: string): Promise<Position> {
    return this.#deps.publish(this.channel, '', { keyed: { key } });
  }

  /** Ends the subscription and forgets all values, without events. */
  close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#read?.cancel();
    this.#timer.close();
    this.#entries.clear();
    this.#deps.unsubscribe(this.channel, this.#subscriber);
    this.#deps.closed(this);
  }

  /** Retries a load that has failed. The client calls it every second. */
  retry(): void {
    if (!this.#isStalled) return;
    this.#isStalled = false;
    this.#readPage();
  }

  #load(): void {
    if (this.#state === 'closed') return;
    this.#read?.cancel();
    this.#state = 'loading';
    this.#isStalled = false;
    this.#afterKey = '';
    this.#entries.beginLoad();
    this.#readPage();
  }

  #readPage(): void {
    const answer = {
      page: (page: HistoryPage<native.HistoryVerdict>): void => this.#applyPage(page),
      failed: (error: ProtocolError): void => {
        this.#isStalled = true;
        this.#notify('failed', error);
      },
    };
    this.#read = this.#deps.readSnapshot(this.channel, this.#afterKey, answer, this);
  }

  #applyPage({ publications, position, more }: HistoryPage<native.HistoryVerdict>): void {
    for (const publication of publications) this.#apply(publication, 'snapshot');
    if (this.#state !== 'loading') return;
    if (more) {
      this.#afterKey = publications.at(-1)?.keyed?.key ?? '';
      this.#readPage();
      return;
    }
    this.#readyFrom = position;
    this.#state = 'settling';
    this.#entries.endLoad();
    this.#settle(this.#subscription.offset);
  }

  #deliver(publication: native.Publication): void {
    // Before the first load it is part of it.
    if (this.#state === 'waiting') return;
    this.#apply(publication, 'delivery');
    this.#settle(publication.number);
  }

  #apply(publication: native.Publication, origin: Origin): void {
    // A listener may close the map.
    if (this.#state === 'closed' || publication.keyed === undefined) return;
    this.#entries.apply(publication, publication.keyed, origin, performance.now());
    this.#timer.update();
  }

  /** Makes the map ready when the subscription has delivered what precedes the last page. */
  #settle(offset: number): void {
    const { epoch } = this.#subscription;
    if (this.#state !== 'settling' || epoch !== this.#readyFrom.epoch || offset < this.#readyFrom.offset)
      return;
    this.#state = 'ready';
    this.#notify('ready');
  }

  /** Emits an event. Unlike with `emit`, a listener that throws disturbs nothing else. */
  #notify<Name extends keyof KeyedMapEvents>(name: Name, ...args: KeyedMapEvents[Name]): void {
    if (this.#state === 'closed') return;
    callEachUser(this.rawListeners(name), (listener, given) => Reflect.apply(listener, this, given), args);
  }
}
