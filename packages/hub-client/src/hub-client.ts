import { EventEmitter } from 'node:events';
import {
  type BanDetails,
  type BanTarget,
  banKey,
  channelOfUser,
  encodeKick,
  isChannelName,
  isErrorCode,
  isKey,
  isUid,
  limits,
  type native,
  type Position,
  ProtocolError,
} from '@groupcast/protocol';
import { type BanOptions, banPublication } from './bans/ban-publication.ts';
import { Backoff } from './connection/backoff.ts';
import { callEachUser, throwUncaught } from './connection/call-user.ts';
import { HubConnection, type HubConnectionEvents } from './connection/hub-connection.ts';
import { Requests } from './connection/requests.ts';
import type { HistoryAnswer, HistoryFrom, HistoryRead } from './history/history-page.ts';
import { historyQuestion } from './history/history-question.ts';
import { HistoryReads } from './history/history-reads.ts';
import type { HubClientEvents, HubClientState, HubClientStats } from './hub-client-events.ts';
import type { KeyedMap } from './keyed/keyed-map.ts';
import { KeyedMaps } from './keyed/keyed-maps.ts';
import { completeOptions, type HubClientOptions, type HubClientOptionsInput } from './options.ts';
import type { PublishAnswer } from './publishing/outbox.ts';
import {
  capabilityOf,
  type PublishOptions,
  publishFrame,
  type UserMessageOptions,
} from './publishing/publish-frame.ts';
import { RequestSender } from './publishing/request-sender.ts';
import { type EnqueueOptions, QueueClient } from './queues/queue-client.ts';
import type { QueueHandler, QueueItem, QueueWatcher, WatchOptions } from './queues/queue-watches.ts';
import type { Subscriber, Subscription } from './subscriptions/channel-subscription.ts';
import { Subscriptions } from './subscriptions/subscriptions.ts';

const SEND_AGAIN = 'Send it again, with the same message_id if it had one.';
const CLOSED_EARLY = 'The client was closed before the hub answered.';
const LINK_BROKE = 'The link to the hub broke before it answered.';

const UID_RULE = 'must be 1 to 255 bytes of UTF-8 without control characters and without *.';

const SWEEP_MS_MAX = 1_000;

/** Limit for the time that a hub may delay a reconnect with GOAWAY. */
const GOAWAY_MS_MAX = 60_000;

/**
 * Client of a hub: publish, subscribe, enqueue, watch, read history. It reconnects, and recovers
 * what its subscribers missed meanwhile. Publishes and reads are buffered for a limited time, and
 * always have an outcome.
 */
export class HubClient extends EventEmitter<HubClientEvents> {
  readonly #options: HubClientOptions;
  readonly #backoff: Backoff;
  #connection: HubConnection | undefined;
  readonly #requests = new Requests(() => this.#connection);
  readonly #publishes: RequestSender<Position>;
  readonly #queues: QueueClient;
  readonly #reads: HistoryReads;
  readonly #subscriptions: Subscriptions;
  readonly #keyed: KeyedMaps;
  readonly #connectionEvents: HubConnectionEvents = {
    connected: () => this.#enter('authenticating', undefined),
    opened: (welcome) => this.#opened(welcome),
    receive: (message) => this.#receive(message),
    skipped: () => {
      this.#skipped += 1;
    },
    receivePage: (request, page) => {
      this.#reads.answer(request, page);
      this.#leaveWhenAnswered();
    },
    leaving: (reconnectAfterMs) => this.#leave(reconnectAfterMs),
    ended: (error) => this.#ended(error),
  };
  #state: HubClientState = 'idle';
  #reconnectTimer: NodeJS.Timeout | undefined;
  #sweeper: NodeJS.Timeout | undefined;
  #sweepMs = SWEEP_MS_MAX;
  #openings = 0;
  #skipped = 0;
  #reconnectAfterMs = 0;

  /** Throws OptionError `bad_option` for invalid options. */
  constructor(options: HubClientOptionsInput = {}) {
    super();
    this.#options = completeOptions(options);
    this.#backoff = new Backoff(this.#options.reconnect);
    const { frameBytesMax } = this.#options.link;
    this.#publishes = new RequestSender(this.#options, this.#requests, frameBytesMax, SEND_AGAIN);
    this.#queues = new QueueClient(this.#options, this.#requests, frameBytesMax, {
      failed: (item, error) => this.#itemFailed(item, error),
      rejected: (queue, error) => this.#notify('watchRejected', queue, error),
    });
    this.#reads = new HistoryReads(this.#options, this.#requests);
    this.#subscriptions = new Subscriptions(this.#requests, this.#reads, (subject, error) =>
      this.#notify('rejected', subject, error),
    );
    this.#keyed = new KeyedMaps(this.#subscriptions, this.#reads, (channel, payload, publish) =>
      this.publish(channel, payload, publish),
    );
  }

  get state(): HubClientState {
    return this.#state;
  }

  stats(): HubClientStats {
    return {
      state: this.#state,
      ...this.#publishes.stats(),
      ...this.#subscriptions.stats(),
      reconnects: Math.max(0, this.#openings - 1),
      historyReads: this.#reads.sent,
      historyWaiting: this.#reads.waiting,
      skipped: this.#skipped,
    };
  }

  /** Connects, and reconnects until `close`. */
  connect(): void {
    if (this.#state !== 'idle') return;
    const { publishMs, bufferMs, positionCheckMs } = this.#options;
    // Four sweeps in the shortest time limit keep the error of each limit within a quarter.
    this.#sweepMs = Math.min(SWEEP_MS_MAX, publishMs / 4, bufferMs / 4, positionCheckMs / 4);
    this.#sweeper = setInterval(() => this.#sweep(), this.#sweepMs);
    this.#connect();
  }

  /**
   * Sends what is buffered on the connection and closes it for good. Pending publishes, items and
   * reads fail, and all subscriptions and keyed maps end. Close the watchers first, so that their
   * items in progress are not delivered again.
   */
  close(): void {
    if (this.#state === 'closed') return;
    clearInterval(this.#sweeper);
    clearTimeout(this.#reconnectTimer);
    this.#keyed.closeAll();
    this.#connection?.close();
    this.#connection = undefined;
    this.#subscriptions.clear();
    this.#enter('closed', undefined);
    this.#requests.endAll(CLOSED_EARLY);
    this.#publishes.rejectBuffered(closed());
    this.#queues.close(closed());
    this.#reads.failAll(closed());
  }

  /**
   * Subscribes to a channel. A further subscriber of a channel is notified of its position at once,
   * and gets all later publications.
   */
  subscribe(channel: string, subscriber: Subscriber): Subscription {
    return this.#subscriptions.add({ name: channel, prefix: false }, subscriber);
  }

  unsubscribe(channel: string, subscriber: Subscriber): void {
    this.#subscriptions.remove({ name: channel, prefix: false }, subscriber);
  }

  /**
   * Subscribes to all channels whose names begin with `prefix`. This is for tools: a prefix has no
   * position, so publications are missed while the client is not connected.
   */
  subscribePrefix(prefix: string, subscriber: Subscriber): void {
    this.#subscriptions.add({ name: prefix, prefix: true }, subscriber);
  }

  unsubscribePrefix(prefix: string, subscriber: Subscriber): void {
    this.#subscriptions.remove({ name: prefix, prefix: true }, subscriber);
  }

  /**
   * Opens a live map of the values of a keyed channel. The client closes it when it is closed
   * itself. Throws a ProtocolError: `bad_channel` for an invalid name, `hub_unavailable` after
   * `close`.
   */
  keyed(channel: string): KeyedMap {
    if (this.#state === 'closed') throw closed();
    return this.#keyed.open(channel);
  }

  /**
   * Reads values of a keyed channel once: a page of those whose keys follow `afterKey`, with ''
   * from the first one on. `keyed` follows them. Needs no subscription. Fails as `history` does,
   * and with `unsupported` when the hub is too old.
   */
  readValues(
    channel: string,
    afterKey: string,
    answer: HistoryAnswer<native.HistoryVerdict>,
    owner: object = this,
  ): HistoryRead {
    const fault = this.#state === 'closed' ? closed() : faultOfKeys(channel, afterKey);
    if (fault !== undefined) return this.#reads.reject(answer, fault);
    return this.#keyed.read(channel, afterKey, answer, owner);
  }

  /**
   * Publishes, and resolves with the position once the engine has the publication: that of an
   * ephemeral one is the position before it. Rejects with a ProtocolError: `hub_unavailable` when
   * it was never sent, `outcome_unknown` when it was sent and not answered, `unsupported` when the
   * hub is too old for these options, or the error with which the hub rejected it.
   */
  publish(channel: string, payload: string | Uint8Array, options: PublishOptions = {}): Promise<Position> {
    return new Promise((resolve, reject) => {
      this.publishWithAnswer(channel, payload, options, { accepted: resolve, failed: reject });
    });
  }

  /** Publishes with callbacks in place of a promise. Without them the hub sends no answer. */
  publishWithAnswer(
    channel: string,
    payload: string | Uint8Array,
    options: PublishOptions,
    answer: PublishAnswer | undefined,
  ): void {
    if (this.#state === 'closed') {
      this.#publishes.reject(answer, closed());
      return;
    }
    const request = answer === undefined ? 0 : this.#requests.nextNumber();
    const frame = publishFrame(channel, payload, options, request);
    this.#publishes.send(frame, request, answer, capabilityOf(options));
  }

  /**
   * Publishes to a user: all its connections to gateways with `--auth token` get the message.
   * Resolves and rejects as `publish` does, and rejects with `bad_field` for an invalid `uid`.
   */
  async sendToUser(
    uid: string,
    payload: string | Uint8Array,
    options: UserMessageOptions = {},
  ): Promise<Position> {
    if (!isUid(uid)) throw new ProtocolError('bad_field', `uid ${JSON.stringify(uid)} ${UID_RULE}`);
    return await this.publish(channelOfUser(uid), payload, options);
  }

  /**
   * Bans a user, an address, a token, or a user in a group, in place of an earlier ban of that
   * target. Resolves once the hub has it: gateways act within a second. Rejects as `publish` does,
   * with `bad_field` for invalid arguments, and with `keys_full` when the hub has no room.
   */
  async ban(target: BanTarget, options: BanOptions = {}): Promise<void> {
    const ban = banPublication(target, options);
    await this.publish(limits.BANS_CHANNEL, ban.value, ban.options);
  }

  /**
   * Ends the ban of a target, if there is one. `by` is the author, for the log of the hub. Resolves
   * and rejects as `ban` does.
   */
  async unban(target: BanTarget, { by }: Pick<BanDetails, 'by'> = {}): Promise<void> {
    const meta = by === undefined ? undefined : { by };
    await this.publish(limits.BANS_CHANNEL, '', { meta, keyed: { key: banKey(target) } });
  }

  /** Removes a user from a group, who may join again. Resolves and rejects as `ban` does. */
  async kick(group: string, uid: string, details: BanDetails = {}): Promise<void> {
    await this.publish(limits.BANS_CHANNEL, encodeKick({ group, uid, ...details }), { kind: 'json' });
  }

  /** Opens a live map of all bans: `parseBan` reads its keys and values. See `keyed`. */
  bans(): KeyedMap {
    return this.keyed(limits.BANS_CHANNEL);
  }

  /**
   * Adds an item to a queue, and resolves once the hub has it. Rejects with a ProtocolError:
   * `queue_full`, `hub_unavailable` when it was never sent, `outcome_unknown` when it was sent and
   * not answered, or the error with which the hub rejected it.
   */
  enqueue(queue: string, payload: string | Uint8Array, options: EnqueueOptions = {}): Promise<void> {
    return new Promise((resolve, reject) => {
      const answer = { accepted: resolve, failed: reject };
      if (this.#state === 'closed') this.#queues.reject(answer, closed());
      else this.#queues.enqueue(queue, payload, options, answer);
    });
  }

  /**
   * Handles the items of a queue, on one connection after another. Items in progress when a
   * connection is lost are delivered again, here or elsewhere, so a handler may see an item twice.
   * Throws a ProtocolError for an invalid name or concurrency, and for a queue that is watched
   * already.
   */
  watch(queue: string, handler: QueueHandler, options: WatchOptions = {}): QueueWatcher {
    return this.#queues.watch(queue, handler, options);
  }

  /**
   * Reads a page of a channel's publications, after a position or the newest ones. The channel need
   * not be subscribed to. If it is, all publications up to the position of the page were delivered
   * before, and no later ones.
   *
   * Fails with `hub_unavailable` when the hub does not answer in time or too many reads are
   * pending, or with the error of the hub. A few reads are in flight at a time. Owners with pending
   * reads are served round-robin, and all reads without an owner count as one owner's.
   */
  history(channel: string, from: HistoryFrom, answer: HistoryAnswer, owner?: object): HistoryRead {
    const question = this.#state === 'closed' ? closed() : historyQuestion(channel, from);
    if (question instanceof ProtocolError) return this.#reads.reject(answer, question);
    return this.#reads.add(question, answer, 'resend', owner);
  }

  #opened(welcome: native.Welcome): void {
    this.#backoff.opened(performance.now());
    this.#requests.lastError = undefined;
    this.#openings += 1;
    // Subscriptions first: the buffered publishes may be for this client.
    this.#subscriptions.resume();
    const unsent = this.#publishes.resume(welcome.frameBytesMax);
    this.#queues.resume(welcome.frameBytesMax);
    this.#reads.resume();
    // User code runs last, so that it finds an open client.
    this.#enter('open', undefined);
    this.#publishes.rejectUnsent(unsent);
    this.#queues.rejectUnsent();
  }

  #receive(message: native.NativeMessage): void {
    switch (message.type) {
      case 'deliver':
        this.#subscriptions.deliver(message.publication);
        return;
      case 'published':
        this.#publishes.accepted(message.request, message.position);
        this.#leaveWhenAnswered();
        return;
      case 'item':
        this.#queues.deliver(message);
        return;
      case 'enqueued':
        this.#queues.enqueued(message.request);
        this.#leaveWhenAnswered();
        return;
      case 'subscribed':
        this.#subscriptions.subscribed(message);
        return;
      case 'error':
        this.#rejected(message);
        this.#leaveWhenAnswered();
        return;
      default:
        throw new ProtocolError('bad_frame', `A hub does not send ${message.type}.`);
    }
  }

  #leave(reconnectAfterMs: number): void {
    this.#reconnectAfterMs = Math.min(reconnectAfterMs, GOAWAY_MS_MAX);
    if (this.#state !== 'leaving') this.#enter('leaving', undefined);
    this.#leaveWhenAnswered();
  }

  /** Closes the connection to a hub that is about to end, once nothing is pending. */
  #leaveWhenAnswered(): void {
    if (this.#state !== 'leaving') return;
    if (this.#publishes.unanswered + this.#queues.unanswered + this.#reads.inFlight > 0) return;
    this.#connection?.close();
  }

  #ended(error: ProtocolError | undefined): void {
    if (this.#state === 'closed') return;
    const wasLeaving = this.#state === 'leaving';
    const lastError = wasLeaving ? shuttingDown(error) : error;
    this.#connection = undefined;
    this.#requests.lastError = lastError;
    this.#subscriptions.suspend();
    this.#reads.suspend();
    this.#queues.suspend();
    const delayMs = Math.max(
      this.#backoff.nextDelayMs(performance.now()),
      wasLeaving ? this.#reconnectAfterMs : 0,
    );
    this.#reconnectTimer = setTimeout(() => this.#connect(), delayMs);
    this.#enter('waiting', lastError);
    this.#requests.endAll(LINK_BROKE);
  }

  #connect(): void {
    this.#connection = new HubConnection(this.#options, this.#connectionEvents);
    this.#enter('connecting', undefined);
  }

  #enter(state: HubClientState, error: ProtocolError | undefined): void {
    this.#state = state;
    this.#notify('state', state, error);
  }

  #itemFailed(item: QueueItem, error: unknown): void {
    if (this.listenerCount('itemFailed') > 0) this.#notify('itemFailed', item, error);
    else throwUncaught(error);
  }

  /** Emits an event. Unlike with `emit`, a listener that throws disturbs nothing else. */
  #notify<Name extends keyof HubClientEvents>(name: Name, ...args: HubClientEvents[Name]): void {
    callEachUser(this.rawListeners(name), (listener, given) => Reflect.apply(listener, this, given), args);
  }

  #rejected(message: native.ErrorMessage): void {
    const code = isErrorCode(message.code) ? message.code : 'internal_error';
    this.#requests.reject(message.request, new ProtocolError(code, message.message));
  }

  #sweep(): void {
    this.#subscriptions.retry();
    this.#keyed.retry();
    this.#subscriptions.checkPositions(this.#sweepMs / this.#options.positionCheckMs);
    // A limit that passes before the next sweep has passed: no request waits longer than promised.
    const untilMs = performance.now() + this.#sweepMs;
    this.#publishes.expire(untilMs);
    this.#requests.expire(untilMs);
    this.#reads.expire(untilMs);
    this.#queues.sweep(untilMs);
    this.#leaveWhenAnswered();
  }
}

function faultOfKeys(channel: string, afterKey: string): ProtocolError | undefined {
  if (!isChannelName(channel)) return new ProtocolError('bad_channel');
  if (afterKey === '' || isKey(afterKey)) return undefined;
  return new ProtocolError(
    'bad_field',
    `afterKey must be a key of 1 to ${limits.KEY_BYTES_MAX} bytes, or ''.`,
  );
}

function closed(): ProtocolError {
  return new ProtocolError('hub_unavailable', 'This client of the hub is closed.');
}

function shuttingDown(cause: ProtocolError | undefined): ProtocolError {
  return new ProtocolError('hub_unavailable', 'The hub is shutting down.', cause && { cause });
}
