import { type BackoffBounds, backoffMs } from './backoff.ts';
import type { SendOptions } from './group.ts';
import { GroupcastError } from './groupcast-error.ts';
import { type Ask, Membership, type MembershipPort } from './membership.ts';
import type { GroupcastClientOptions } from './options.ts';
import { Pacer } from './pacer.ts';
import { type Answer, Requests } from './requests.ts';
import { type Publish, SendQueue } from './send-queue.ts';
import { isName, isText, utf8Bytes } from './text.ts';
import {
  type AckEvent,
  type Command,
  type Position,
  positionOf,
  type ServerEvent,
  type WelcomeEvent,
} from './wire.ts';

/** How often deadlines are looked at while there are any. */
const SWEEP_MS = 250;

/** Between attempts to publish that were refused for now: often enough to try several times within `sendTimeoutMs`. */
const RETRY: BackoffBounds = { minMs: 500, maxMs: 5_000 };

/** Bytes: more than any connection carries. */
const UNLIMITED = Number.MAX_SAFE_INTEGER;

/** What an `id` may add to a command whose size was measured without. */
const ID_BYTES_MAX = 24;

const MESSAGE_ID_BYTES_MAX = 128;

/** What PROTOCOL.md says, for a gateway that does not. */
const LIMITS: WelcomeEvent['limits'] = {
  message_bytes: 65_536,
  groups: 128,
  messages_per_second: 1_000,
  messages_burst: 2_000,
};

/** What is under way between this client and the gateway, over all its connections: memberships, messages, and their answers. */
export class Exchange implements MembershipPort {
  readonly #options: GroupcastClientOptions;
  readonly #send: (command: object) => void;
  readonly #failed: (error: GroupcastError) => void;
  /** Those that are wanted, or that the gateway must still be told to end. */
  readonly #memberships = new Map<string, Membership>();
  /** Those of them that may have something to send. */
  readonly #due = new Set<Membership>();
  readonly #queue: SendQueue;
  readonly #requests: Requests;
  readonly #idPrefix: string = randomText();
  #isOpen = false;
  #clientId: string | undefined;
  #limits = LIMITS;
  #messagePacer = new Pacer(0, 0, 0);
  #bytePacer = new Pacer(0, 0, 0);
  #sweeper: ReturnType<typeof setInterval> | undefined;
  #messages = 0;
  #lastRefusal: GroupcastError | undefined;

  /** `send` puts a command onto the connection that is open; `failed` is told what goes wrong with groups. */
  constructor(
    options: GroupcastClientOptions,
    send: (command: object) => void,
    failed: (error: GroupcastError) => void,
  ) {
    this.#options = options;
    this.#send = send;
    this.#failed = failed;
    this.#queue = new SendQueue(options.sendQueueMax, options.sendQueueBytesMax);
    this.#requests = new Requests(options.answerTimeoutMs);
  }

  get clientId(): string | undefined {
    return this.#clientId;
  }

  /** The one of this group, a new one where there is none. */
  membership(groupId: string): Membership {
    return this.#memberships.get(groupId) ?? new Membership(groupId, this);
  }

  /** A connection is open: everything goes on. */
  opened({ client_id: clientId, limits }: WelcomeEvent): void {
    // Under another client id a message that was sent before would be a new one.
    if (this.#clientId !== clientId) this.#queue.giveUp(({ isUncertain }) => isUncertain, undefined);
    this.#clientId = clientId;
    this.#limits = { ...LIMITS, ...limits };
    const nowMs = performance.now();
    const { messages_per_second: perSecond, messages_burst: burst } = this.#limits;
    const { bytes_per_second: bytes, bytes_burst: bytesBurst } = this.#limits;
    this.#messagePacer = new Pacer(perSecond, burst, nowMs);
    this.#bytePacer = new Pacer(bytes || UNLIMITED, bytesBurst || bytes || UNLIMITED, nowMs);
    this.#isOpen = true;
    this.#pump();
  }

  /** The connection has ended; or the client has, and nothing goes on. */
  ended(error: GroupcastError | undefined, isFinal: boolean): void {
    this.#isOpen = false;
    this.#lastRefusal = error;
    this.#requests.lose(Number.POSITIVE_INFINITY);
    for (const membership of [...this.#memberships.values()]) {
      membership.disconnected();
      if (isFinal) membership.leave(error);
    }
    if (isFinal) this.#queue.giveUp(() => true, error);
    this.#rest();
  }

  received(event: ServerEvent): void {
    switch (event.type) {
      case 'message':
        this.#memberships.get(event.group_id)?.receive(event);
        break;
      case 'gap':
        this.#memberships.get(event.group_id)?.gap(event);
        break;
      case 'ack':
        this.#requests.settle(event.id, (answer) => answer.acked(event));
        break;
      case 'error': {
        const error = new GroupcastError(event.code, event.message);
        if (event.id !== undefined) this.#requests.settle(event.id, (answer) => answer.refused(error));
        else if (event.group_id !== undefined) this.#memberships.get(event.group_id)?.expelled(error);
        else this.#failed(error);
        break;
      }
      default:
        // Later gateways may say more; it is to be ignored.
        break;
    }
  }

  publish(groupId: string, message: string, { excludeSelf, messageId }: SendOptions): Promise<Position> {
    this.#messages += 1;
    const command = {
      cmd: 'send_to_group',
      group_id: groupId,
      message,
      message_id: messageId ?? `${this.#idPrefix}-${this.#messages}`,
      exclude_self: excludeSelf === true,
    } as const;
    return new Promise((resolve, reject) => {
      const publish: Publish = {
        command,
        bytes: commandBytes(command),
        deadlineMs: performance.now() + this.#options.sendTimeoutMs,
        resolve,
        reject,
        isUnderWay: false,
        isUncertain: false,
        attempt: 0,
        retryAtMs: 0,
      };
      if (!isSendable(command)) reject(new GroupcastError('bad_field', BAD_FIELD));
      else if (this.#queue.add(publish)) this.#pump();
      else reject(new GroupcastError('queue_full', 'Too many messages are unanswered. Wait for some.'));
    });
  }

  changed(membership: Membership): void {
    if (membership.isOver) {
      this.#memberships.delete(membership.groupId);
      this.#due.delete(membership);
    } else {
      this.#memberships.set(membership.groupId, membership);
      this.#due.add(membership);
      this.#pump();
    }
  }

  failed(error: GroupcastError): void {
    this.#failed(error);
  }

  /** Sends what may be sent: joins before messages, so that members get their own. */
  #pump(): void {
    const nowMs = performance.now();
    if (this.#isOpen) {
      for (const membership of this.#due) {
        if (membership.retryAtMs > nowMs) continue;
        if (!this.#mayRequest(nowMs)) break;
        this.#due.delete(membership);
        const ask = membership.next();
        if (ask !== undefined) this.#ask(ask, nowMs);
      }
      while (this.#mayRequest(nowMs)) {
        const publish = this.#queue.next(nowMs);
        if (publish === undefined) break;
        this.#publish(publish, nowMs);
      }
    }
    this.#rest();
  }

  #ask({ command, answer }: Ask, nowMs: number): void {
    const { groups } = this.#limits;
    if (command.cmd === 'add_group' && this.#placesTaken() > groups) {
      // The gateway would refuse it too, and after ten times end the connection for good.
      answer.refused(new GroupcastError('group_limit', `There may be ${groups} groups. Leave one first.`));
    } else {
      this.#request(command, answer, nowMs, commandBytes(command));
    }
  }

  #placesTaken(): number {
    let taken = 0;
    for (const membership of this.#memberships.values()) if (membership.takesPlace) taken += 1;
    return taken;
  }

  #publish(publish: Publish, nowMs: number): void {
    const { message_bytes: bytesMax } = this.#limits;
    const { command, bytes } = publish;
    if (bytes > bytesMax) {
      const sentence = `It makes a command of ${bytes} bytes; the gateway takes ${bytesMax}.`;
      this.#queue.refuse(publish, new GroupcastError('message_too_big', sentence));
      return;
    }
    publish.isUnderWay = true;
    const lost = (): void => this.#again(publish, true, 0);
    const acked = (ack: AckEvent): void => {
      const position = positionOf(ack);
      if (position === undefined) {
        lost();
        return;
      }
      if (command.exclude_self) this.#memberships.get(command.group_id)?.skip(position);
      this.#queue.published(publish, position);
    };
    const refused = (error: GroupcastError): void => {
      publish.isUnderWay = false;
      if (error.temporary) {
        this.#lastRefusal = error;
        // The other two say for certain that it was not published.
        const isUncertain = error.code === 'outcome_unknown' || error.code === 'internal_error';
        this.#again(publish, isUncertain, performance.now() + backoffMs(publish.attempt, RETRY));
        publish.attempt += 1;
      } else {
        this.#queue.refuse(publish, error);
      }
    };
    this.#request(command, { acked, refused, lost }, nowMs, bytes);
  }

  /** It is sent again, unless it was given up meanwhile. */
  #again(publish: Publish, isUncertain: boolean, retryAtMs: number): void {
    publish.isUnderWay = false;
    publish.isUncertain ||= isUncertain;
    publish.retryAtMs = retryAtMs;
    this.#pump();
  }

  /** Whether the limits of the gateway leave room for one more command. */
  #mayRequest(nowMs: number): boolean {
    return this.#messagePacer.isReady(nowMs) && this.#bytePacer.isReady(nowMs);
  }

  #request(command: Command, answer: Answer, nowMs: number, bytes: number): void {
    this.#messagePacer.spend(1);
    this.#bytePacer.spend(bytes);
    this.#send({ ...command, id: this.#requests.add(answer, nowMs) });
  }

  /** The one timer of all deadlines runs while there are any. */
  #rest(): void {
    const hasWork = this.#queue.size > 0 || (this.#isOpen && this.#requests.size + this.#due.size > 0);
    if (!hasWork) {
      clearInterval(this.#sweeper);
      this.#sweeper = undefined;
    } else if (this.#sweeper === undefined) {
      this.#sweeper = setInterval(() => this.#sweep(), SWEEP_MS);
    }
  }

  #sweep(): void {
    // What would be late at the next look is late at this one: nobody waits longer than the option says.
    const untilMs = performance.now() + SWEEP_MS;
    this.#requests.lose(untilMs);
    this.#queue.giveUp(({ deadlineMs }) => deadlineMs <= untilMs, this.#lastRefusal);
    this.#pump();
  }
}

/** Bytes of a command on the wire, at most. */
function commandBytes(command: Command): number {
  return utf8Bytes(JSON.stringify(command)) + ID_BYTES_MAX;
}

/** 128 random bits, which keep the message ids of one client apart over restarts and page loads. */
function randomText(): string {
  return crypto.getRandomValues(new Uint32Array(4)).join('-');
}

const BAD_FIELD = `A message is text in UTF-8, and a messageId 1 to ${MESSAGE_ID_BYTES_MAX} bytes of it.`;

/** Whether the gateway would take it. Ten refusals within ten seconds, and it ends the connection for good. */
function isSendable({ message, message_id: messageId }: Publish['command']): boolean {
  return isText(message) && isName(messageId, MESSAGE_ID_BYTES_MAX);
}
