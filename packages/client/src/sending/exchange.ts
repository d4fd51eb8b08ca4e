import {
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

/** Codes of refusals that do not say for certain that a message was not published. */
const UNCERTAIN: readonly string[] = ['outcome_unknown', 'internal_error', 'bad_event'];

/** What PROTOCOL.md says, for a gateway that does not. */
const LIMITS: WelcomeEvent['limits'] = {
  message_bytes: 65_536,
  groups: 128,
  messages_per_second: 1_000,
  messages_burst: 2_000,
};

/** What is under way between this client and the gateway, over all its connections: memberships, messages, and their answers. */
export class Exchange implements MembershipPort<Membership> {
  readonly bufferMax: number;
  readonly failed: (error: GroupcastError) => void;
  /** What the last welcome said. Changed here only. */
  clientId: string | undefined;
  readonly #options: GroupcastClientOptions;
  readonly #send: (command: object) => void;
  /** Those in use, which keeps their groups from being collected. */
  readonly #memberships = new Map<string, Membership>();
  /** Those of them that count among the groups of the connection. */
  readonly #placed = new Set<Membership>();
  /** Those that have something to send now. */
  readonly #due = new Set<Membership>();
  /** Those that have something to send at a later time. */
  readonly #later = new Set<Membership>();
  readonly #queue: SendQueue;
  readonly #requests: Requests;
  /** 128 random bits, which keep the message ids of one client apart over restarts and page loads. */
  readonly #idPrefix: string = crypto.getRandomValues(new Uint32Array(4)).join('-');
  #limits = LIMITS;
  /** While a connection is open: of its commands, and of their bytes. */
  #pacers: readonly [Pacer, Pacer] | undefined;
  #sweeper: ReturnType<typeof setInterval> | undefined;
  #isBusy = false;
  #messages = 0;
  #lastRefusal: GroupcastError | undefined;
  /** Why nothing goes on any more. */
  #closed: GroupcastError | undefined;

  /** `send` puts a command onto the connection that is open; `failed` is told what goes wrong with groups. */
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

  /** The connection has ended; or the client has, and nothing goes on. */
  ended(error: GroupcastError | undefined, isFinal: boolean): void {
    this.#pacers = undefined;
    this.#lastRefusal = error;
    if (isFinal) this.#closed = error;
    this.#requests.lose();
    for (const membership of this.#memberships.values()) {
      membership.disconnected();
      if (isFinal) membership.leave(error);
    }
    if (isFinal) this.#queue.giveUp(() => true, error);
    this.#rest();
  }

  received(event: ClientEvent): void {
    // Later gateways may send more types; a client ignores them.
    if (event.type === 'welcome') this.#opened(event);
    else if (event.type === 'message') this.#memberships.get(event.group_id)?.receive(event);
    else if (event.type === 'gap') this.#memberships.get(event.group_id)?.gap(event);
    else if (event.type === 'ack') this.#requests.settle(event.id, event);
    else if (event.type === 'error') this.#refused(event);
  }

  /** Throws a GroupcastError: `bad_field`, or why the client is closed. */
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
    // The gateway would refuse it, and after ten refusals within ten seconds end the connection for good.
    if (!isText(command.message) || !isName(command.message_id, MESSAGE_ID_BYTES_MAX)) {
      throw new GroupcastError(
        'bad_field',
        `Send valid JSON and a messageId of 1 to ${MESSAGE_ID_BYTES_MAX} bytes.`,
      );
    }
    const publish: Publish = {
      command,
      bytes: commandBytes(command),
      deadlineMs: performance.now() + this.#options.sendTimeoutMs,
      call: openCall(options, (reason) => {
        this.#queue.refuse(publish, reason);
        this.#pump();
      }),
      number: this.#messages,
      isUncertain: false,
      attempt: 0,
      retryAtMs: 0,
    };
    if (this.#queue.add(publish)) this.#pump();
    else this.#queue.refuse(publish, new GroupcastError('queue_full', 'Wait for answers first.'));
    return publish.call.promise;
  }

  request(command: ClientCommandBody, answer: Answer): void {
    const { groups } = this.#limits;
    if (command.cmd === 'add_group' && this.#placed.size >= groups) {
      // The gateway would refuse it too, and after ten times end the connection for good.
      answer(undefined, new GroupcastError('group_limit', `Leave one of ${groups} groups first.`));
    } else {
      this.#request(command, answer, commandBytes(command));
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

  #refused({ id, group_id: groupId, code, message }: ErrorEvent): void {
    const error = new GroupcastError(isText(code) ? code : 'bad_event', isText(message) ? message : '');
    if (typeof id === 'number') this.#requests.settle(id, undefined, error);
    else if (groupId !== undefined) this.#memberships.get(groupId)?.expelled(error);
    else this.failed(error);
  }

  /** A connection is open: everything goes on. */
  #opened({ client_id, limits }: WelcomeEvent): void {
    const clientId = typeof client_id === 'string' ? client_id : undefined;
    // Under another client id a message that was sent before would be a new one.
    if (this.clientId !== clientId) this.#queue.giveUp(({ isUncertain }) => isUncertain, undefined);
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

  /** Sends what may be sent: joins before messages, so that members get their own. */
  #pump(): void {
    if (this.#isBusy) return;
    this.#isBusy = true;
    const nowMs = performance.now();
    // A Set is searched from its beginning, past all that was deleted: not without need.
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
      this.#queue.refuse(
        publish,
        new GroupcastError('message_too_big', `The message has ${bytes} bytes, the limit is ${bytesMax}.`),
      );
      return;
    }
    publish.isUncertain = true;
    const answered: Answer = (ack, refusal) => {
      const position = ack && positionOf(ack);
      if (position) {
        if (command.exclude_self) this.#memberships.get(command.group_id)?.skip(position);
        this.#queue.settle(publish, position);
        return;
      }
      if (refusal) {
        publish.isUncertain = isUncertain || UNCERTAIN.includes(refusal.code);
        if (!refusal.temporary) {
          this.#queue.refuse(publish, refusal);
          return;
        }
        this.#lastRefusal = refusal;
        publish.retryAtMs = performance.now() + reconnectDelayMs(publish.attempt, PUBLISH_RETRY_BOUNDS);
        publish.attempt += 1;
      }
      this.#queue.retry(publish);
      this.#pump();
    };
    this.#request(command, answered, bytes);
  }

  /** Whether the limits of the gateway leave room for one more command. */
  #mayRequest(nowMs: number): boolean {
    return this.#pacers?.every((pacer) => pacer.isReady(nowMs)) === true;
  }

  #request(command: ClientCommandBody, answer: Answer, bytes: number): void {
    this.#pacers?.[0].spend(1);
    this.#pacers?.[1].spend(bytes);
    this.#send({ ...command, id: this.#requests.add(answer) });
  }

  /** The one timer of all deadlines runs while there are any. */
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
    // What would be late at the next look is late at this one: nobody waits longer than the option says.
    const untilMs = performance.now() + SWEEP_MS;
    // What is lost here is sent again below, all at once.
    this.#isBusy = true;
    this.#requests.lose(untilMs);
    this.#queue.giveUp(({ deadlineMs }) => deadlineMs <= untilMs, this.#lastRefusal);
    for (const membership of this.#later) this.changed(membership);
    this.#isBusy = false;
    this.#pump();
  }
}

function keep<Item>(set: Set<Item>, item: Item, isIn: boolean): void {
  if (isIn) set.add(item);
  else set.delete(item);
}

/** Takes the defaults for what is missing, or is no limit that anything could be sent within. */
function completeLimits(given: WelcomeEvent['limits'] | undefined): WelcomeEvent['limits'] {
  const valid = Object.entries(given ?? {}).filter(([, value = 0]) => Number.isFinite(value) && value > 0);
  return { ...LIMITS, ...Object.fromEntries(valid) };
}

/** Bytes of a command on the wire, at most. */
function commandBytes(command: ClientCommandBody): number {
  return utf8Bytes(JSON.stringify(command)) + ID_BYTES_MAX;
}
