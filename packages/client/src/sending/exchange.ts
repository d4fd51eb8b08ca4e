import type { ClientEvent, ErrorEvent, Position, WelcomeEvent } from '@groupcast/protocol/client';
import type { ClientEvents } from '../client-events.ts';
import { errorOf } from '../connection/wire.ts';
import type { Emitter } from '../emitter.ts';
import { GroupcastError } from '../groupcast-error.ts';
import type { Membership } from '../groups/membership.ts';
import type { MembershipPort } from '../groups/membership-port.ts';
import { BYTES_PER_SECOND_UNLIMITED, RESUME_POSITIONS_MAX, SWEEP_MS, USER_GROUP } from '../limits.ts';
import type { GroupcastClientOptions } from '../options.ts';
import { Outbox, type OutboxOwner } from './outbox.ts';
import { Pacer } from './pacer.ts';
import { type Answer, commandBytes, type GroupCommandBody, Requests } from './requests.ts';

/** Default limits of PROTOCOL.md, for a gateway that sends none. */
const LIMITS: WelcomeEvent['limits'] = {
  message_bytes: 65_536,
  groups: 128,
  messages_per_second: 1_000,
  messages_burst: 2_000,
};

interface ResumeCommand {
  readonly cmd: 'resume';
  positions: Record<string, Position>;
}

/** The part of the client that the exchange uses. */
export interface ExchangeOwner {
  readonly events: Emitter<ClientEvents>;
  send(command: object): void;
  /** Returns the membership of a group, a new one for a new group. Throws a GroupcastError. */
  membership(groupId: string): Membership;
}

/** Memberships, messages and their answers, over all connections of a client. */
export class Exchange implements MembershipPort<Membership>, OutboxOwner {
  readonly bufferMax: number;
  readonly clientEvents: Emitter<ClientEvents>;
  readonly outbox: Outbox;
  /** The limits in the last welcome. Read-only for others. */
  limits: WelcomeEvent['limits'] = LIMITS;
  /** The id in the last welcome. Read-only for others. */
  clientId: string | undefined;
  /** The user in the last welcome. Read-only for others. */
  uid: string | undefined;
  readonly #owner: ExchangeOwner;
  /** Memberships in use. This keeps their groups from being collected. */
  readonly #memberships = new Map<string, Membership>();
  /** Memberships that count towards the limit of groups. */
  readonly #placed = new Set<Membership>();
  /** Memberships with a command to send now. */
  readonly #due = new Set<Membership>();
  /** Memberships with a command to send later. */
  readonly #later = new Set<Membership>();
  readonly #requests: Requests;
  /** Pacers of commands and of their bytes, while a connection is open. */
  #pacers: readonly [Pacer, Pacer] | undefined;
  #sweeper: ReturnType<typeof setInterval> | undefined;
  #isBusy = false;
  /** The reason why the client is closed. */
  #closed: GroupcastError | undefined;

  constructor(options: GroupcastClientOptions, owner: ExchangeOwner) {
    this.#owner = owner;
    this.bufferMax = options.bufferMax;
    this.clientEvents = owner.events;
    this.outbox = new Outbox(options, this);
    this.#requests = new Requests(options.answerTimeoutMs);
  }

  assertOpen(): void {
    if (this.#closed) throw this.#closed;
  }

  /** Handles the end of the connection, or with `isFinal` the end of the client. */
  ended(error: GroupcastError | undefined, isFinal: boolean): void {
    this.#pacers = undefined;
    if (isFinal) this.#closed = error;
    this.outbox.ended(error, isFinal);
    this.#requests.expire();
    for (const membership of this.#memberships.values()) {
      membership.disconnected();
      if (isFinal) membership.leave(error);
    }
    this.#rest();
  }

  received(event: ClientEvent): void {
    // A client ignores the types of later gateways.
    if (event.type === 'welcome') this.#opened(event);
    else if (event.type === 'message') this.#memberships.get(groupIdOf(event))?.receive(event);
    else if (event.type === 'gap') this.#memberships.get(groupIdOf(event))?.gap(event);
    else if (event.type === 'ack') this.#requests.settle(event.id, event);
    else if (event.type === 'joined') this.#owner.membership(groupIdOf(event)).joined(event);
    else if (event.type === 'removed') this.#memberships.get(event.group_id)?.removed(event.reason);
    else if (event.type === 'error') this.#rejected(event);
  }

  request(command: GroupCommandBody, answered: Answer): void {
    const { groups } = this.limits;
    if (command.cmd === 'add_group' && this.#placed.size >= groups) {
      // Checked here, because the gateway closes for good after ten such rejections.
      answered(undefined, new GroupcastError('group_limit', `Leave one of ${groups} groups first.`));
    } else {
      this.sendNow(command, commandBytes(command), answered);
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
    this.pump();
  }

  skipped(groupId: string, position: Position): void {
    this.#memberships.get(groupId)?.skip(position);
  }

  #rejected(event: ErrorEvent): void {
    const { id } = event;
    const groupId = groupIdOf(event);
    const error = errorOf(event);
    if (typeof id === 'number') this.#requests.settle(id, undefined, error);
    else if (groupId !== undefined) this.#memberships.get(groupId)?.rejected(error);
    else this.clientEvents.emit('error', error);
  }

  /** Continues on an open connection. */
  #opened({ client_id, uid, limits, joined = [], user }: WelcomeEvent): void {
    const clientId = typeof client_id === 'string' ? client_id : undefined;
    // The messages to another user have other positions.
    if (this.uid !== uid) this.#memberships.get(USER_GROUP)?.leave();
    this.uid = uid;
    // Under another client id, a repetition would be published twice.
    if (this.clientId !== clientId) this.outbox.drop(({ isUncertain }) => isUncertain);
    this.clientId = clientId;
    this.limits = completeLimits(limits);
    const {
      messages_per_second: perSecond,
      messages_burst: burst,
      bytes_per_second: bytes = BYTES_PER_SECOND_UNLIMITED,
      bytes_burst: bytesBurst = bytes,
    } = this.limits;
    const told = user ? [...joined, { ...user, group_id: USER_GROUP }] : joined;
    const resumed = this.#resume(told.length > 0);
    // An event `joined` follows for the groups in `resume`: it says whether they were recovered.
    for (const each of told) {
      if (!resumed.has(each.group_id)) this.#owner.membership(each.group_id).joined(each);
    }
    // From here on commands are sent: not before, because some of these joins need none.
    const nowMs = performance.now();
    this.#pacers = [new Pacer(perSecond, burst, nowMs), new Pacer(bytes, bytesBurst, nowMs)];
    this.pump();
  }

  /**
   * Sends the positions of the groups that the server joins, as the first command. Groups get a gap
   * when there are too many, or when they are too large together. Returns the names of the others.
   * A gateway that `waits` joins them only then, or some seconds later.
   */
  #resume(waits: boolean): Set<string> {
    const returning = [...this.#memberships.values()].filter((membership) => membership.expectServer());
    const entries = returning
      .slice(0, Math.min(this.limits.groups, RESUME_POSITIONS_MAX))
      .map(({ groupId, position }) => [groupId, position]);
    const command: ResumeCommand = { cmd: 'resume', positions: Object.fromEntries(entries) };
    if (commandBytes(command) > this.limits.message_bytes) command.positions = {};
    // Without an `id`: a rejection becomes an error of the client.
    if (waits || returning.length > 0) this.#owner.send(command);
    return new Set(Object.keys(command.positions));
  }

  /** Sends as much as the limits allow: joins first, so that members receive their own messages. */
  pump(): void {
    if (this.#isBusy) return;
    this.#isBusy = true;
    const nowMs = performance.now();
    // Without this test, each call would iterate over the deleted entries at the start of the Set.
    if (this.mayRequest(nowMs)) {
      for (const membership of this.#due) {
        if (!this.mayRequest(nowMs)) break;
        membership.proceed();
      }
    }
    this.outbox.proceed(nowMs);
    this.#isBusy = false;
    this.#rest();
  }

  mayRequest(nowMs: number): boolean {
    return this.#pacers?.every((pacer) => pacer.isReady(nowMs)) === true;
  }

  sendNow(command: GroupCommandBody, bytes: number, answered: Answer): void {
    this.#pacers?.[0].spend(1);
    this.#pacers?.[1].spend(bytes);
    const id = this.#requests.add((ack, rejection) => {
      answered(ack, rejection);
      if (rejection?.code !== 'forbidden') return;
      this.clientEvents.emit('forbidden', { groupId: command.group_id, operation: rejection.operation });
    });
    this.#owner.send({ ...command, id });
  }

  /** Runs the one timer of all deadlines while there are any. */
  #rest(): void {
    const asks = this.#requests.size + this.#due.size + this.#later.size;
    const hasWork = this.outbox.size > 0 || (this.#pacers && asks > 0);
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
    this.outbox.drop(({ deadlineMs }) => deadlineMs <= untilMs);
    for (const membership of this.#later) this.changed(membership);
    this.#isBusy = false;
    this.pump();
  }
}

/** Returns the name of the group of an event; of an event for the user that of its messages. */
function groupIdOf({ group_id: groupId, user }: MaybeGroup): string {
  return user ? USER_GROUP : (groupId as string);
}

interface MaybeGroup {
  readonly group_id?: string | undefined;
  readonly user?: unknown;
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
