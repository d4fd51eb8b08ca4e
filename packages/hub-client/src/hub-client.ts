import { EventEmitter } from 'node:events';
import {
  isChannelName,
  isErrorCode,
  limits,
  native,
  type Position,
  ProtocolError,
  reconnectDelayMs,
} from '@groupcast/protocol';
import { HubConnection, type HubConnectionEvents } from './hub-connection.ts';
import { type Interest, Interests, type Subscriber } from './interests.ts';
import { HUB_CLIENT_DEFAULTS, type HubClientOptions } from './options.ts';
import { Outbox, type PublishAnswer } from './outbox.ts';
import { PendingAnswers } from './pending-answers.ts';
import { isShortText, type PublishOptions, publishFrame } from './publish-frame.ts';

/**
 *     idle -> connecting -> authenticating -> open
 *                ^               |             |
 *                +--- waiting <--+-------------+        any -> closed
 */
export type HubClientState = 'idle' | 'connecting' | 'authenticating' | 'open' | 'waiting' | 'closed';

export interface HubClientEvents {
  /** Every change of state; `waiting` says why the last connection ended. */
  state: [state: HubClientState, error: ProtocolError | undefined];
  /** The hub refused a subscription: nothing of these subjects comes for now. The hub is asked again every second. */
  refused: [subjects: readonly native.Subject[], error: ProtocolError];
}

export interface HubClientStats {
  readonly state: HubClientState;
  /** Channels and prefixes that are followed. */
  readonly subjects: number;
  /** Publishes handed to the hub, and publications that came from it. */
  readonly published: number;
  readonly delivered: number;
  /** Publishes that were never sent, whether or not somebody waited for their answer. */
  readonly refused: number;
  /** Publishes that wait for the hub to come back, in bytes. */
  readonly bufferedBytes: number;
  /** Publishes that the hub has not answered yet. */
  readonly unanswered: number;
  /** Connections that were opened after the first. */
  readonly reconnects: number;
}

const SWEEP_MS_MAX = 1_000;

/** Subjects which the hub has refused that it is asked for again at once. */
const ASKED_AGAIN_MAX = 256;

/**
 * A program's way to the hub: publish, subscribe. Reconnects by itself and subscribes again to what it had; publishes
 * wait for the hub for a bounded time, and never end in silence.
 */
export class HubClient extends EventEmitter<HubClientEvents> {
  readonly #options: HubClientOptions;
  readonly #interests = new Interests();
  readonly #outbox: Outbox;
  readonly #answers = new PendingAnswers();
  readonly #connectionEvents: HubConnectionEvents = {
    connected: () => this.#enter('authenticating', undefined),
    opened: (welcome) => this.#opened(welcome),
    receive: (message) => this.#receive(message),
    ended: (error) => this.#ended(error),
  };
  #state: HubClientState = 'idle';
  #connection: HubConnection | undefined;
  #reconnectTimer: NodeJS.Timeout | undefined;
  #sweeper: NodeJS.Timeout | undefined;
  #attempt = 0;
  /** Infinity while the link does not stand. */
  #openedAtMs = Number.POSITIVE_INFINITY;
  #openings = 0;
  #lastRequest = 0;
  #hubFrameBytesMax: number;
  #published = 0;
  #delivered = 0;
  #refusals = 0;

  /** Throws a ProtocolError `bad_field` when the name does not fit the wire. */
  constructor(options: Partial<HubClientOptions> = {}) {
    super();
    this.#options = { ...HUB_CLIENT_DEFAULTS, ...options };
    if (!isShortText(this.#options.name)) {
      throw new ProtocolError('bad_field', `name may have ${limits.SHORT_TEXT_BYTES_MAX} bytes.`);
    }
    this.#outbox = new Outbox(this.#options.bufferBytesMax);
    this.#hubFrameBytesMax = this.#options.link.frameBytesMax;
  }

  get state(): HubClientState {
    return this.#state;
  }

  stats(): HubClientStats {
    return {
      state: this.#state,
      subjects: this.#interests.size,
      published: this.#published,
      delivered: this.#delivered,
      refused: this.#refusals,
      bufferedBytes: this.#outbox.bytes,
      unanswered: this.#answers.size,
      reconnects: Math.max(0, this.#openings - 1),
    };
  }

  /** Begins to connect, and keeps at it until `close`. */
  connect(): void {
    if (this.#state !== 'idle') return;
    const { publishMs, bufferMs } = this.#options;
    // Four looks in the shortest of the times that it watches keep the error of each within a quarter.
    const sweepMs = Math.min(SWEEP_MS_MAX, publishMs / 4, bufferMs / 4);
    this.#sweeper = setInterval(() => this.#sweep(), sweepMs);
    this.#connect();
  }

  /** Sends what is queued and ends for good. Publishes that are still unanswered fail. */
  close(): void {
    if (this.#state === 'closed') return;
    clearInterval(this.#sweeper);
    clearTimeout(this.#reconnectTimer);
    this.#connection?.close();
    this.#connection = undefined;
    this.#interests.suspend();
    this.#enter('closed', undefined);
    this.#failUnanswered('The client was closed before the hub answered.');
    for (const { answer } of this.#outbox.takeAll()) {
      this.#refuse(answer, new ProtocolError('hub_unavailable', CLOSED));
    }
  }

  /** Follows a channel. A subscriber that follows it already is told its position again. */
  subscribe(channel: string, subscriber: Subscriber): void {
    this.#subscribe({ name: channel, prefix: false }, subscriber);
  }

  unsubscribe(channel: string, subscriber: Subscriber): void {
    this.#unsubscribe({ name: channel, prefix: false }, subscriber);
  }

  /** Follows every channel whose name begins so. For tools: a gateway follows the groups that it has members of. */
  subscribePrefix(prefix: string, subscriber: Subscriber): void {
    this.#subscribe({ name: prefix, prefix: true }, subscriber);
  }

  unsubscribePrefix(prefix: string, subscriber: Subscriber): void {
    this.#unsubscribe({ name: prefix, prefix: true }, subscriber);
  }

  /**
   * Resolves with the position once the engine has the publication. Rejects with a ProtocolError: `hub_unavailable` when
   * it was never sent, `outcome_unknown` when it was sent and no answer came, or what the hub refused it with.
   */
  publish(channel: string, payload: string | Uint8Array, options: PublishOptions = {}): Promise<Position> {
    return new Promise((resolve, reject) => {
      this.submit(channel, payload, options, { published: resolve, failed: reject });
    });
  }

  /** `publish` without a promise. Without an answer object the hub is not asked for an answer. */
  submit(
    channel: string,
    payload: string | Uint8Array,
    options: PublishOptions,
    answer: PublishAnswer | undefined,
  ): void {
    const request = answer === undefined ? 0 : ++this.#lastRequest;
    const frame = publishFrame(channel, payload, options, request);
    if (frame instanceof ProtocolError) this.#refuse(answer, frame);
    else if (this.#state === 'closed') this.#refuse(answer, new ProtocolError('hub_unavailable', CLOSED));
    else if (this.#isTooLong(frame)) this.#refuse(answer, this.#tooLong(frame));
    else if (this.#connection?.isOpen === true) this.#sendNow(frame, request, answer);
    else this.#hold(frame, request, answer);
  }

  #opened(welcome: native.Welcome): void {
    this.#openedAtMs = performance.now();
    this.#openings += 1;
    this.#hubFrameBytesMax = welcome.frameBytesMax;
    // First the subscriptions: what is published next may be for ourselves.
    for (const batch of this.#interests.batches()) this.#ask(batch);
    const held = this.#outbox.takeAll();
    for (const { frame, request, answer } of held) {
      if (!this.#isTooLong(frame)) this.#send(frame, request, answer);
    }
    // Foreign code is called only now, when whatever it publishes or subscribes to finds an open client.
    this.#enter('open', undefined);
    for (const { frame, answer } of held) {
      if (this.#isTooLong(frame)) this.#refuse(answer, this.#tooLong(frame));
    }
  }

  #receive(message: native.NativeMessage): void {
    switch (message.type) {
      case 'deliver':
        this.#delivered += 1;
        this.#interests.deliver(message.publication);
        return;
      case 'published':
        this.#answers.take(message.request)?.published(message.position);
        return;
      case 'subscribed':
        this.#subscribed(message);
        return;
      case 'error':
        this.#refused(message);
        return;
      default:
        throw new ProtocolError('bad_frame', `A hub does not send ${message.type}.`);
    }
  }

  #ended(error: ProtocolError | undefined): void {
    if (this.#state === 'closed') return;
    this.#connection = undefined;
    this.#interests.suspend();
    const { reconnect } = this.#options;
    // A hub that lets us in and cuts us off at once must not be tried again and again without a wait.
    const stoodMs = performance.now() - this.#openedAtMs;
    if (stoodMs >= reconnect.maxMs) this.#attempt = 0;
    this.#openedAtMs = Number.POSITIVE_INFINITY;
    const delayMs = reconnectDelayMs(this.#attempt, Math.random(), reconnect);
    this.#attempt += 1;
    this.#reconnectTimer = setTimeout(() => this.#connect(), delayMs);
    this.#enter('waiting', error);
    this.#failUnanswered('The link to the hub broke before it answered.');
  }

  #connect(): void {
    this.#connection = new HubConnection(this.#options, this.#connectionEvents);
    this.#enter('connecting', undefined);
  }

  #enter(state: HubClientState, error: ProtocolError | undefined): void {
    this.#state = state;
    this.emit('state', state, error);
  }

  #subscribe(subject: native.Subject, subscriber: Subscriber): void {
    if (!isChannelName(subject.name)) throw new ProtocolError('bad_channel');
    const interest = this.#interests.add(subject);
    const isNew = interest.subscribers.size === 0;
    interest.subscribers.add(subscriber);
    if (interest.position !== undefined) {
      subscriber.subscribed?.(subject, interest.position);
    } else if (isNew && this.#state === 'open') {
      this.#ask([interest]);
    }
  }

  #ask(interests: readonly Interest[]): void {
    const request = ++this.#lastRequest;
    this.#interests.ask(request, interests);
    const subjects = interests.map((interest) => interest.subject);
    this.#connection?.send(native.encodeSubscribe({ request, subjects }));
  }

  #unsubscribe(subject: native.Subject, subscriber: Subscriber): void {
    const interest = this.#interests.find(subject);
    if (!interest?.subscribers.delete(subscriber) || interest.subscribers.size > 0) return;
    this.#interests.remove(interest);
    if (this.#state === 'open') this.#connection?.send(native.encodeUnsubscribe([subject]));
  }

  #subscribed(message: native.Subscribed): void {
    for (const entry of message.entries) {
      const interest = this.#interests.settle(message.request, entry);
      if (interest === undefined) continue;
      for (const subscriber of interest.subscribers)
        subscriber.subscribed?.(interest.subject, entry.position);
    }
  }

  #refused(message: native.ErrorMessage): void {
    const code = isErrorCode(message.code) ? message.code : 'internal_error';
    const error = new ProtocolError(code, message.message);
    const answer = this.#answers.take(message.request);
    if (answer !== undefined) {
      answer.failed(error);
      return;
    }
    const subjects = this.#interests.refuse(message.request).map((interest) => interest.subject);
    // None: a publish that was given up, or subscriptions that were, or that were refused before.
    if (subjects.length > 0) this.emit('refused', subjects, error);
  }

  /** The hub may be there and yet not keep up: then it is better to say so than to fill the link until it breaks. */
  #sendNow(frame: Uint8Array, request: number, answer: PublishAnswer | undefined): void {
    const { bufferBytesMax, unansweredMax } = this.#options;
    const queuedBytes = this.#connection?.queuedBytes ?? 0;
    if (queuedBytes + frame.length > bufferBytesMax || this.#answers.size >= unansweredMax) {
      this.#refuse(answer, new ProtocolError('hub_unavailable', BUSY));
    } else {
      this.#send(frame, request, answer);
    }
  }

  #refuse(answer: PublishAnswer | undefined, error: ProtocolError): void {
    this.#refusals += 1;
    answer?.failed(error);
  }

  #send(frame: Uint8Array, request: number, answer: PublishAnswer | undefined): void {
    this.#published += 1;
    if (answer !== undefined) this.#answers.add(request, answer, performance.now() + this.#options.publishMs);
    this.#connection?.send(frame);
  }

  #hold(frame: Uint8Array, request: number, answer: PublishAnswer | undefined): void {
    const deadlineMs = performance.now() + this.#options.bufferMs;
    if (this.#outbox.add({ frame, request, answer, deadlineMs })) return;
    this.#refuse(answer, new ProtocolError('hub_unavailable', AWAY));
  }

  #sweep(): void {
    // One by one: the hub refuses a SUBSCRIBE as a whole, and may have room for some.
    for (const interest of this.#interests.toAskAgain(ASKED_AGAIN_MAX)) this.#ask([interest]);
    const nowMs = performance.now();
    for (const { answer } of this.#outbox.takeExpired(nowMs)) {
      this.#refuse(answer, new ProtocolError('hub_unavailable'));
    }
    for (const answer of this.#answers.takeExpired(nowMs)) {
      answer.failed(unknownOutcome('The hub did not answer in time.'));
    }
  }

  #failUnanswered(why: string): void {
    for (const answer of this.#answers.takeAll()) answer.failed(unknownOutcome(why));
  }

  #isTooLong(frame: Uint8Array): boolean {
    return frame.length > this.#hubFrameBytesMax;
  }

  #tooLong(frame: Uint8Array): ProtocolError {
    return new ProtocolError(
      'bad_length',
      `The message makes a frame of ${frame.length} bytes; the hub takes ${this.#hubFrameBytesMax}. Send less at once.`,
    );
  }
}

const CLOSED = 'This client of the hub is closed.';
const AWAY = 'The hub is away, and as many messages wait for it as may. Send it again later.';
const BUSY = 'The hub does not keep up, and as many messages wait for it as may. Send it again later.';

function unknownOutcome(why: string): ProtocolError {
  return new ProtocolError('outcome_unknown', `${why} Send it again with the same message_id.`);
}
