import {
  type AckEvent,
  type ClientCommandBody,
  type ClientEvent,
  type ErrorEvent,
  type JsonValue,
  type Position,
  reconnectDelayMs,
  type WelcomeEvent,
} from '@groupcast/protocol/client';
import { positionOf } from '../connection/wire.ts';
import { GroupcastError } from '../groupcast-error.ts';
import { openCall } from '../groups/call.ts';
import type { Membership } from '../groups/membership.ts';
import type { MembershipPort } from '../groups/membership-port.ts';
import {
  BYTES_PER_SECOND_UNLIMITED,
  ID_BYTES_MAX,
  MESSAGE_ID_BYTES_MAX,
  PUBLISH_RETRY_BOUNDS,
  SWEEP_MS,
} from '../limits.ts';
import type { GroupcastClientOptions } from '../options.ts';
import { Pacer } from './pacer.ts';
import { type Answer, Requests } from './requests.ts';
import { type Publish, type SendOptions, SendQueue } from './send-queue.ts';
import { isName, isText, utf8Bytes } from './text.ts';

/** Codes of rejections after which a message may have been published. */
const UNCERTAIN: readonly string[] = ['outcome_unknown', 'internal_error', 'bad_event'];

/** Default limits of PROTOCOL.md, for a gateway that sends none. */
const LIMITS: WelcomeEvent['limits'] = {
  message_bytes: 65_536,
  groups: 128,
  messages_per_second: 1_000,
  messages_burst: 2_000,
};

/** Memberships, messages and their answers, over all connections of a client. */
export class Exchange implements MembershipPort<Membership> {
  readonly bufferMax: number;
  readonly failed: (error: GroupcastError) => void;
  /** The id in the last welcome. Read-only for others. */
  clientId: string | undefined;
  readonly #options: GroupcastClientOptions;
  readonly #send: (command: object) => void;
  /** Memberships in use. This keeps their groups from being collected. */
  readonly #memberships = new Map<string, Membership>();
  /** Memberships that count towards the limit of groups. */
  readonly #placed = new Set<Membership>();
  /** Memberships with a command to send now. */
  readonly #due = new Set<Membership>();
  /** Memberships with a command to send later. */
  readonly #later = new Set<Membership>();
  readonly #queue: SendQueue;
  readonly #requests: Requests;
  /** 128 random bits: message ids stay unique over restarts and page loads. */
  readonly #idPrefix: string = crypto.getRandomValues(new Uint32Array(4)).join('-');
  #limits = LIMITS;
  /** Pacers of commands and of their bytes, while a connection is open. */
  #pacers: readonly [Pacer, Pacer] | undefined;
  #sweeper: ReturnType<typeof setInterval> | undefined;
  #isBusy = false;
  #messages = 0;
  #lastRejection: GroupcastError | undefined;
  /** The reason why the client is closed. */
  #closed: GroupcastError | undefined;

  /** Sends commands with `send`. Reports errors of groups to `failed`. */
  constructor(
    options: GroupcastClientOptions,
    send: (command: object) => void,
    failed: (error: GroupcastError) => void,
  ) {
    this.#options = options;
    this.bufferMax = options.bufferMax;
    this.#send = send;
    this.failed = failed;
    this.#queue = new SendQueue(options.sendQueueMax, options.sendQueueBytesMax);
    this.#requests = new Requests(options.answerTimeoutMs);
  }

  assertOpen(): void {
    if (this.#closed) throw this.#closed;
  }

  /** Handles the end of the connection, or with `isFinal` the end of the client. */
  ended(error: GroupcastError | undefined, isFinal: boolean): void {
    this.#pacers = undefined;
    this.#lastRejection = error;
    if (isFinal) this.#closed = error;
    this.#requests.expire();
    for (const membership of this.#memberships.values()) {
      membership.disconnected();
      if (isFinal) membership.leave(error);
    }
    if (isFinal) this.#queue.drop(() => true, error);
    this.#rest();
  }

  received(event: ClientEvent): void {
    // A client ignores the types of later gateways.
    if (event.type === 'welcome') this.#opened(event);
    else if (event.type === 'message') this.#memberships.get(event.group_id)?.receive(event);
    else if (event.type === 'gap') this.#memberships.get(event.group_id)?.gap(event);
    else if (event.type === 'ack') this.#requests.settle(event.id, event);
    else if (event.type === 'error') this.#rejected(event);
  }

  /** Publishes. Throws a GroupcastError: `bad_field`, or the reason why the client is closed. */
  publish(groupId: string, message: JsonValue, options: SendOptions): Promise<Position> {
    this.assertOpen();
    const { excludeSelf, messageId } = options;
    this.#messages += 1;
    const command = {
      cmd: 'send_to_group',
      group_id: groupId,
      message: typeof message === 'string' ? message : JSON.stringify(message),
      message_id: messageId ?? `${this.#idPrefix}-${this.#messages}`,
      exclude_self: excludeSelf === true,
    } as const;
    // Checked here, because the gateway closes for good after ten rejections within ten seconds.
    if (!isText(command.message) || !isName(command.message_id, MESSAGE_ID_BYTES_MAX)) {
      throw new GroupcastError(
        'bad_field',
        `Send JSON and a messageId of 1 to ${MESSAGE_ID_BYTES_MAX} bytes.`,
      );
    }
    const publish: Publish = {
      command,
      bytes: commandBytes(command),
      deadlineMs: performance.now() + this.#options.sendTimeoutMs,
      call: openCall(options, (reason) => {
        this.#queue.reject(publish, reason);
        this.#pump();
      }),
      number: this.#messages,
      isUncertain: false,
      attempt: 0,
      retryAtMs: 0,
    };
    if (this.#queue.add(publish)) this.#pump();
    else this.#queue.reject(publish, new GroupcastError('queue_full', 'Wait for answers first.'));
    return publish.call.promise;
  }

  request(command: ClientCommandBody, answered: Answer): void {
    const { groups } = this.#limits;
    if (command.cmd === 'add_group' && this.#placed.size >= groups) {
      // Checked here, because the gateway closes for good after ten such rejections.
      answered(undefined, new GroupcastError('group_limit', `Leave one of ${groups} groups first.`));
    } else {
      this.#sendNow(command, commandBytes(command), answered);
    }
  }

  changed(membership: Membership): void {
    const { groupId, isInUse, isDue, takesPlace, retryAtMs } = membership;
    if (isInUse) this.#memberships.set(groupId, membership);
    else this.#memberships.delete(groupId);
    const isLater = retryAtMs > performance.now();
    keep(this.#placed, membership, takesPlace);
    keep(this.#due, membership, isDue && !isLater);
    keep(this.#later, membership, isDue && isLater);
    this.#pump();
  }

  #rejected({ id, group_id: groupId, code, message }: ErrorEvent): void {
    const error = new GroupcastError(isText(code) ? code : 'bad_event', isText(message) ? message : '');
    if (typeof id === 'number') this.#requests.settle(id, undefined, error);
    else if (groupId !== undefined) this.#memberships.get(groupId)?.removed(error);
    else this.failed(error);
  }

  /** Continues on an open connection. */
  #opened({ client_id, limits }: WelcomeEvent): void {
    const clientId = typeof client_id === 'string' ? client_id : undefined;
    // Under another client id, a repetition would be published twice.
    if (this.clientId !== clientId) this.#queue.drop(({ isUncertain }) => isUncertain, undefined);
    this.clientId = clientId;
    this.#limits = completeLimits(limits);
    const {
      messages_per_second: perSecond,
      messages_burst: burst,
      bytes_per_second: bytes = BYTES_PER_SECOND_UNLIMITED,
      bytes_burst: bytesBurst = bytes,
    } = this.#limits;
    const nowMs = performance.now();
    this.#pacers = [new Pacer(perSecond, burst, nowMs), new Pacer(bytes, bytesBurst, nowMs)];
    this.#pump();
  }

  /** Sends as much as the limits allow: joins first, so that members receive their own messages. */
  #pump(): void {
    if (this.#isBusy) return;
    this.#isBusy = true;
    const nowMs = performance.now();
    // Without this test, each call would iterate over the deleted entries at the start of the Set.
    if (this.#mayRequest(nowMs)) {
      for (const membership of this.#due) {
        if (!this.#mayRequest(nowMs)) break;
        membership.proceed();
      }
    }
    while (this.#mayRequest(nowMs)) {
      const publish = this.#queue.next(nowMs);
      if (!publish) break;
      this.#publish(publish);
    }
    this.#isBusy = false;
    this.#rest();
  }

  #publish(publish: Publish): void {
    const { message_bytes: bytesMax } = this.#limits;
    const { command, bytes, isUncertain } = publish;
    if (bytes > bytesMax) {
      this.#queue.reject(
        publish,
        new GroupcastError('message_too_big', `${bytes} bytes exceed the limit of ${bytesMax}.`),
      );
      return;
    }
    publish.isUncertain = true;
    this.#sendNow(command, bytes, (ack, rejection) => this.#published(publish, isUncertain, ack, rejection));
  }

  /** Handles the answer to a message. Without `ack` and `rejection` its outcome is unknown. */
  #published(publish: Publish, wasUncertain: boolean, ack?: AckEvent, rejection?: GroupcastError): void {
    const { command, attempt } = publish;
    const position = ack && positionOf(ack);
    if (rejection) publish.isUncertain = wasUncertain || UNCERTAIN.includes(rejection.code);
    if (position) {
      if (command.exclude_self) this.#memberships.get(command.group_id)?.skip(position);
      this.#queue.settle(publish, position);
    } else if (rejection && !rejection.temporary) {
      this.#queue.reject(publish, rejection);
    } else {
      if (rejection) {
        this.#lastRejection = rejection;
        publish.retryAtMs = performance.now() + reconnectDelayMs(attempt, PUBLISH_RETRY_BOUNDS);
        publish.attempt += 1;
      }
      this.#queue.retry(publish);
      this.#pump();
    }
  }

  /** Returns whether the limits of the gateway allow one more command. */
  #mayRequest(nowMs: number): boolean {
    return this.#pacers?.every((pacer) => pacer.isReady(nowMs)) === true;
  }

  #sendNow(command: ClientCommandBody, bytes: number, answered: Answer): void {
    this.#pacers?.[0].spend(1);
    this.#pacers?.[1].spend(bytes);
    this.#send({ ...command, id: this.#requests.add(answered) });
  }

  /** Runs the one timer of all deadlines while there are any. */
  #rest(): void {
    const asks = this.#requests.size + this.#due.size + this.#later.size;
    const hasWork = this.#queue.size > 0 || (this.#pacers && asks > 0);
    if (!hasWork) {
      clearInterval(this.#sweeper);
      this.#sweeper = undefined;
    } else {
      this.#sweeper ??= setInterval(() => this.#sweep(), SWEEP_MS);
    }
  }

  #sweep(): void {
    // Includes the deadlines before the next sweep, so that none is exceeded.
    const untilMs = performance.now() + SWEEP_MS;
    // The expired commands are retried below, all at once.
    this.#isBusy = true;
    this.#requests.expire(untilMs);
    this.#queue.drop(({ deadlineMs }) => deadlineMs <= untilMs, this.#lastRejection);
    for (const membership of this.#later) this.changed(membership);
    this.#isBusy = false;
    this.#pump();
  }
}

function keep<Item>(set: Set<Item>, item: Item, isIn: boolean): void {
  if (isIn) set.add(item);
  else set.delete(item);
}

/** Returns the limits of a welcome, with defaults for missing or invalid ones. */
function completeLimits(given: WelcomeEvent['limits'] | undefined): WelcomeEvent['limits'] {
  const valid = Object.entries(given ?? {}).filter(([, value = 0]) => Number.isFinite(value) && value > 0);
  return { ...LIMITS, ...Object.fromEntries(valid) };
}

/** Returns the maximum bytes of a command on the wire. */
function commandBytes(command: ClientCommandBody): number {
  return utf8Bytes(JSON.stringify(command)) + ID_BYTES_MAX;
}
