import { EventEmitter } from 'node:events';
import { isChannelName, isErrorCode, type native, type Position, ProtocolError } from '@groupcast/protocol';
import { Backoff } from './connection/backoff.ts';
import { callEachUser, throwUncaught } from './connection/call-user.ts';
import { HubConnection, type HubConnectionEvents } from './connection/hub-connection.ts';
import { HubUplink } from './connection/uplink.ts';
import type { HistoryAnswer, HistoryRead } from './history/history-page.ts';
import { HistoryReads } from './history/history-reads.ts';
import type { HubClientEvents, HubClientState, HubClientStats } from './hub-client-events.ts';
import { completeOptions, type HubClientOptions, type HubClientOptionsInput } from './options.ts';
import type { PublishAnswer } from './publishing/outbox.ts';
import { isShortText, type PublishOptions, publishFrame } from './publishing/publish-frame.ts';
import { RequestSender } from './publishing/request-sender.ts';
import type { QueueHandler, QueueItem, QueueWatcher, WatchOptions } from './queues/queue-watch.ts';
import { type EnqueueOptions, Queues } from './queues/queues.ts';
import type { Subscriber } from './subscriptions/channel-subscription.ts';
import { Subscriptions } from './subscriptions/subscriptions.ts';

const SEND_AGAIN = 'Send it again with the same message_id.';
const CLOSED_EARLY = 'The client was closed before the hub answered.';
const LINK_BROKE = 'The link to the hub broke before it answered.';

const SWEEP_MS_MAX = 1_000;

/** A hub that ends cannot send its peers away for longer. */
const GOAWAY_MS_MAX = 60_000;

/**
 * A program's way to the hub: publish, subscribe, read history. Reconnects by itself, and reads what its subscribers missed
 * meanwhile; publishes and reads wait for the hub for a bounded time, and never end in silence.
 */
export class HubClient extends EventEmitter<HubClientEvents> {
  readonly #options: HubClientOptions;
  readonly #backoff: Backoff;
  readonly #uplink = new HubUplink();
  readonly #publisher: RequestSender<Position>;
  readonly #queues: Queues;
  readonly #reads: HistoryReads;
  readonly #subscriptions: Subscriptions;
  readonly #connectionEvents: HubConnectionEvents = {
    connected: () => this.#enter('authenticating', undefined),
    opened: (welcome) => this.#opened(welcome),
    receive: (message) => this.#receive(message),
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
  #reconnectAfterMs = 0;

  /** Throws OptionError `bad_option` for options that it cannot run with. */
  constructor(options: HubClientOptionsInput = {}) {
    super();
    this.#options = completeOptions(options);
    this.#backoff = new Backoff(this.#options.reconnect);
    const { frameBytesMax } = this.#options.link;
    this.#publisher = new RequestSender(this.#options, this.#uplink, frameBytesMax, SEND_AGAIN);
    this.#queues = new Queues(this.#options, this.#uplink, frameBytesMax, {
      failed: (item, error) => this.#itemFailed(item, error),
      refused: (queue, error) => this.#tell('watchRefused', queue, error),
    });
    this.#reads = new HistoryReads(this.#options, this.#uplink);
    this.#subscriptions = new Subscriptions(this.#uplink, this.#reads);
  }

  get state(): HubClientState {
    return this.#state;
  }

  stats(): HubClientStats {
    return {
      state: this.#state,
      ...this.#publisher.stats(),
      ...this.#subscriptions.stats(),
      reconnects: Math.max(0, this.#openings - 1),
      historyReads: this.#reads.sent,
      historyWaiting: this.#reads.waiting,
    };
  }

  /** Begins to connect, and keeps at it until `close`. */
  connect(): void {
    if (this.#state !== 'idle') return;
    const { publishMs, bufferMs, positionCheckMs } = this.#options;
    // Four looks in the shortest of the times that it watches keep the error of each within a quarter.
    this.#sweepMs = Math.min(SWEEP_MS_MAX, publishMs / 4, bufferMs / 4, positionCheckMs / 4);
    this.#sweeper = setInterval(() => this.#sweep(), this.#sweepMs);
    this.#connect();
  }

  /**
   * Sends what is queued and ends for good. Publishes, items and reads that are still unanswered fail. Nothing is followed or watched any
   * more: close the watchers before, so that what they have under way is not handed out again.
   */
  close(): void {
    if (this.#state === 'closed') return;
    clearInterval(this.#sweeper);
    clearTimeout(this.#reconnectTimer);
    this.#uplink.connection?.close();
    this.#uplink.connection = undefined;
    this.#subscriptions.clear();
    this.#enter('closed', undefined);
    this.#publisher.failUnanswered(CLOSED_EARLY);
    this.#publisher.refuseHeld(closed());
    this.#queues.failUnanswered(CLOSED_EARLY);
    this.#queues.close(closed());
    this.#reads.failAll(closed());
  }

  /**
   * Follows a channel. A subscriber of a channel that is followed already is told at once how far the others have come, and
   * gets with them what follows.
   */
  subscribe(channel: string, subscriber: Subscriber): void {
    this.#subscriptions.add({ name: channel, prefix: false }, subscriber);
  }

  unsubscribe(channel: string, subscriber: Subscriber): void {
    this.#subscriptions.remove({ name: channel, prefix: false }, subscriber);
  }

  /**
   * Follows every channel whose name begins so. For tools: a gateway follows the groups that it has members of. A prefix has no
   * position, so that what comes while the link is broken is missed.
   */
  subscribePrefix(prefix: string, subscriber: Subscriber): void {
    this.#subscriptions.add({ name: prefix, prefix: true }, subscriber);
  }

  unsubscribePrefix(prefix: string, subscriber: Subscriber): void {
    this.#subscriptions.remove({ name: prefix, prefix: true }, subscriber);
  }

  /**
   * Resolves with the position once the engine has the publication. Rejects with a ProtocolError: `hub_unavailable` when
   * it was never sent, `outcome_unknown` when it was sent and no answer came, or what the hub refused it with.
   */
  publish(channel: string, payload: string | Uint8Array, options: PublishOptions = {}): Promise<Position> {
    return new Promise((resolve, reject) => {
      this.publishWithAnswer(channel, payload, options, { accepted: resolve, failed: reject });
    });
  }

  /** `publish` without a promise. Without an answer object the hub is not asked for an answer. */
  publishWithAnswer(
    channel: string,
    payload: string | Uint8Array,
    options: PublishOptions,
    answer: PublishAnswer | undefined,
  ): void {
    if (this.#state === 'closed') {
      this.#publisher.refuse(answer, closed());
      return;
    }
    const request = answer === undefined ? 0 : this.#uplink.nextRequest();
    this.#publisher.send(publishFrame(channel, payload, options, request), request, answer);
  }

  /**
   * Resolves once the hub has the item. Rejects with a ProtocolError: `queue_full`, `hub_unavailable` when it was never sent, `outcome_unknown` when
   * it was sent and no answer came, or what else the hub refused it with.
   */
  enqueue(queue: string, payload: string | Uint8Array, options: EnqueueOptions = {}): Promise<void> {
    return new Promise((resolve, reject) => {
      const answer = { accepted: resolve, failed: reject };
      if (this.#state === 'closed') this.#queues.refuse(answer, closed());
      else this.#queues.enqueue(queue, payload, options, answer);
    });
  }

  /**
   * Works on the items of a queue, on one link after another. What is under way when a link breaks is handed out again, here or elsewhere, so a handler
   * may see an item twice. Throws a ProtocolError for a name or a concurrency that is none, and for a queue that is watched already.
   */
  watch(queue: string, handler: QueueHandler, options: WatchOptions = {}): QueueWatcher {
    return this.#queues.watch(queue, handler, options);
  }

  /**
   * Reads what came in a channel after a position, or the first part of it. The channel need not be followed; when it is, all up
   * to the position of the page was delivered before, and nothing behind it. Fails with `hub_unavailable` when the hub does not
   * answer in time or too many wait already, or with what the hub refused it with. A few reads are under way at a time; owners
   * whose reads wait are served in turn, each with one read. Reads without an owner have one owner together.
   */
  history(channel: string, since: Position, answer: HistoryAnswer, owner?: object): HistoryRead {
    const error = this.#state === 'closed' ? closed() : questionFault(channel, since);
    if (error !== undefined) return this.#reads.reject(answer, error);
    return this.#reads.add(channel, since, answer, 'again', owner);
  }

  #opened(welcome: native.Welcome): void {
    this.#backoff.opened(performance.now());
    this.#uplink.lastError = undefined;
    this.#openings += 1;
    // First the subscriptions: what is published next may be for ourselves.
    this.#subscriptions.resume();
    const tooLong = this.#publisher.resume(welcome.frameBytesMax);
    this.#queues.resume(welcome.frameBytesMax);
    this.#reads.resume();
    // Foreign code is called only now, when whatever it publishes or subscribes to finds an open client.
    this.#enter('open', undefined);
    this.#publisher.refuseTooLong(tooLong);
    this.#queues.refuseTooLong();
  }

  #receive(message: native.NativeMessage): void {
    switch (message.type) {
      case 'deliver':
        this.#subscriptions.deliver(message.publication);
        return;
      case 'published':
        this.#publisher.accepted(message.request, message.position);
        this.#leaveWhenAnswered();
        return;
      case 'item':
        this.#queues.receiveItem(message);
        return;
      case 'enqueued':
        this.#queues.enqueued(message.request);
        this.#leaveWhenAnswered();
        return;
      case 'subscribed':
        this.#subscriptions.subscribed(message);
        return;
      case 'error':
        this.#refused(message);
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

  /** All that is under way is answered, or has waited too long: then nothing is left for this hub. */
  #leaveWhenAnswered(): void {
    if (this.#state !== 'leaving') return;
    if (this.#publisher.unanswered + this.#queues.unanswered + this.#reads.underWay > 0) return;
    this.#uplink.connection?.close();
  }

  #ended(error: ProtocolError | undefined): void {
    if (this.#state === 'closed') return;
    const wasSentAway = this.#state === 'leaving';
    this.#uplink.connection = undefined;
    this.#uplink.lastError = wasSentAway ? sentAway(error) : error;
    this.#subscriptions.suspend();
    this.#reads.suspend();
    this.#queues.suspend();
    const delayMs = Math.max(
      this.#backoff.nextDelayMs(performance.now()),
      wasSentAway ? this.#reconnectAfterMs : 0,
    );
    this.#reconnectTimer = setTimeout(() => this.#connect(), delayMs);
    this.#enter('waiting', this.#uplink.lastError);
    this.#publisher.failUnanswered(LINK_BROKE);
    this.#queues.failUnanswered(LINK_BROKE);
  }

  #connect(): void {
    this.#uplink.connection = new HubConnection(this.#options, this.#connectionEvents);
    this.#enter('connecting', undefined);
  }

  #enter(state: HubClientState, error: ProtocolError | undefined): void {
    this.#state = state;
    this.#tell('state', state, error);
  }

  #itemFailed(item: QueueItem, error: unknown): void {
    if (this.listenerCount('itemFailed') > 0) this.#tell('itemFailed', item, error);
    else throwUncaught(error);
  }

  /** Emits an event. Unlike with `emit`, a listener that throws disturbs neither this client nor other listeners. */
  #tell<Name extends keyof HubClientEvents>(name: Name, ...args: HubClientEvents[Name]): void {
    callEachUser(this.rawListeners(name), (listener, given) => Reflect.apply(listener, this, given), args);
  }

  #refused(message: native.ErrorMessage): void {
    const code = isErrorCode(message.code) ? message.code : 'internal_error';
    const error = new ProtocolError(code, message.message);
    const { request } = message;
    if (this.#publisher.failed(request, error) || this.#reads.refuse(request, error)) return;
    if (this.#queues.refused(request, error)) return;
    const subject = this.#subscriptions.refuse(request, error);
    // None: a publish or a read that was given up, or a subscription that was, or that was refused before, or is one of several.
    if (subject !== undefined) this.#tell('refused', subject, error);
  }

  #sweep(): void {
    this.#subscriptions.retry();
    this.#subscriptions.checkPositions(this.#sweepMs / this.#options.positionCheckMs);
    // What would be late at the next look is late at this one: nobody waits longer than was promised.
    const untilMs = performance.now() + this.#sweepMs;
    this.#publisher.expire(untilMs);
    this.#reads.expire(untilMs);
    this.#queues.sweep(untilMs);
    this.#leaveWhenAnswered();
  }
}

function closed(): ProtocolError {
  return new ProtocolError('hub_unavailable', 'This client of the hub is closed.');
}

function sentAway(cause: ProtocolError | undefined): ProtocolError {
  return new ProtocolError('hub_unavailable', 'The hub is about to end.', cause && { cause });
}

function questionFault(channel: string, since: Position): ProtocolError | undefined {
  if (!isChannelName(channel)) return new ProtocolError('bad_channel');
  if (isShortText(since?.epoch) && isOffset(since.offset)) return undefined;
  return new ProtocolError('bad_field', 'since must have an epoch and a whole offset from 0.');
}

function isOffset(offset: number): boolean {
  return Number.isSafeInteger(offset) && offset >= 0;
}
