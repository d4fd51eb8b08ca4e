import type { AckEvent, GapEvent, JoinedEvent, MessageEvent, Position } from '@groupcast/protocol/client';
import { reconnectDelayMs } from '@groupcast/protocol/client';
import { positionOf } from '../connection/wire.ts';
import { Emitter } from '../emitter.ts';
import { GroupcastError } from '../groupcast-error.ts';
import { JOIN_RETRY_BOUNDS, USER_GROUP } from '../limits.ts';
import { type Call, type CallOptions, ignoreRejection, openCall } from './call.ts';
import { type Gap, type GroupEvents, type Joined, type Message, messageOf } from './group-events.ts';
import { GroupPosition } from './group-position.ts';
import type { GroupCommand, GroupState, Intent, LoadState, SentCommand } from './group-state.ts';
import { nextCommand, recoveryOf } from './group-state.ts';
import type { MembershipPort } from './membership-port.ts';
import { MessageBuffer } from './message-buffer.ts';
import type { CheckedRange } from './message-range.ts';

/**
 * The membership of this client in one group.
 *
 *     left -> joining -> joined                      any -> left
 *                ^          |
 *                +----------+   the connection was lost, or the state must be loaded again
 *
 * `nextCommand` chooses each command from what is wanted and what the gateway has.
 */
export class Membership {
  readonly groupId: string;
  readonly events: Emitter<GroupEvents> = new Emitter(() => this.#port.changed(this));
  /** The group of the application. Held here, so that it lives as long as its membership. */
  owner: unknown;
  /** Earliest time of the next command, in milliseconds of `performance.now()`. */
  retryAtMs = 0;
  readonly #port: MembershipPort<Membership>;
  readonly #position = new GroupPosition();
  /**
   * Set when the server is a user of the group: it has joined it for this client, or is expected to
   * join it again on this connection.
   */
  #server: 'joined' | 'expected' | undefined;
  readonly #state: GroupState = { want: undefined, have: undefined, inFlight: undefined };
  /** Joins without their `leave`. */
  #joins = 0;
  /** Iterations that have not ended. */
  readonly #buffers = new Set<MessageBuffer<Message>>();
  readonly #pendingJoins = new Set<Call<Joined>>();
  readonly #pendingLeaves: (() => void)[] = [];
  /** Rejections in a row. */
  #attempt = 0;

  constructor(groupId: string, port: MembershipPort<Membership>) {
    this.groupId = groupId;
    this.#port = port;
  }

  get state(): 'left' | 'joining' | 'joined' {
    const { want, have } = this.#state;
    if (!want) return 'left';
    return have === want ? 'joined' : 'joining';
  }

  get position(): Position | undefined {
    return this.#position.value;
  }

  /** Counts towards the limit of groups per connection. */
  get takesPlace(): boolean {
    return !!this.#state.want && !this.#isOut && this.groupId !== USER_GROUP;
  }

  get isInUse(): boolean {
    return !!this.#state.want || !this.#isOut || this.events.hasListeners;
  }

  /** There is a command to send, at `retryAtMs` or later. */
  get isDue(): boolean {
    return !!this.#next;
  }

  get #next(): GroupCommand | undefined {
    const next = nextCommand(this.#state);
    return next === 'add_group' && this.#isLeftToServer ? undefined : next;
  }

  /** Only the server joins it: the application does not use it, or it belongs to the system. */
  get #isLeftToServer(): boolean {
    return !!this.#server && (!this.#isUsed || this.groupId.startsWith('$'));
  }

  /** The application uses the group. */
  get #isUsed(): boolean {
    return this.#joins + this.#buffers.size > 0;
  }

  /** The gateway certainly does not have this client in the group. */
  get #isOut(): boolean {
    return !(this.#state.have ?? this.#state.inFlight);
  }

  /**
   * Joins: with the messages of `range` unless the group is in use already, or from the state that
   * `load` loads.
   */
  join(options: CallOptions, range: CheckedRange, load?: LoadState): Promise<Joined> {
    this.#port.assertOpen();
    this.#joins += 1;
    const position = this.#position.value;
    if (!load && position && this.state === 'joined') return Promise.resolve({ position });
    const pending: Call<Joined> = openCall(options, (reason) => {
      this.#pendingJoins.delete(pending);
      pending.settle(Promise.reject(reason));
      this.release();
    });
    // Before the command is sent, because a join may be rejected at once.
    this.#pendingJoins.add(pending);
    this.#want(range, load);
    return pending.promise;
  }

  /** Undoes one join. The last one leaves the group, unless an iteration is open. */
  release(): void {
    if (this.#joins > 0) this.#joins -= 1;
    this.#leaveUnused();
  }

  /** Joins until the iteration ends. */
  iterate(): MessageBuffer<Message> {
    this.#port.assertOpen();
    const buffer: MessageBuffer<Message> = new MessageBuffer(this.#port.bufferMax, () => {
      this.#buffers.delete(buffer);
      this.#leaveUnused();
    });
    this.#buffers.add(buffer);
    this.#want({});
    return buffer;
  }

  /** Leaves for all users. `error` is the reason. */
  leave(error: GroupcastError = new GroupcastError('left', 'The group was left.')): void {
    if (!this.#state.want) return;
    this.#state.want = undefined;
    this.#server = undefined;
    this.#joins = 0;
    this.#position.set(undefined);
    this.#port.changed(this);
    const isRequested = ['left', 'closed'].includes(error.code);
    for (const pending of this.#pendingJoins) {
      if (isRequested) ignoreRejection(pending.promise);
      pending.settle(Promise.reject(error));
    }
    this.#pendingJoins.clear();
    const failure = isRequested ? undefined : error;
    for (const buffer of this.#buffers) buffer.end(failure);
    this.events.emit('left', { error: failure });
  }

  /** Resolves when the gateway has confirmed the leave; at once while the group is in use. */
  leaving(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#state.want || this.#isOut) resolve();
      else this.#pendingLeaves.push(resolve);
    });
  }

  /** Handles the end of the connection, with which the gateway forgets its members. */
  disconnected(): void {
    this.#state.have = undefined;
    this.retryAtMs = 0;
    if (this.#server === 'expected') {
      if (this.#isLeftToServer) this.removed('Not joined again.');
      this.#server = undefined;
    }
    this.#settle();
  }

  /**
   * Handles a new connection. Returns whether the server is expected to join the group again on it.
   */
  expectServer(): boolean {
    if (this.#server) this.#server = 'expected';
    return !!this.#server;
  }

  /** Handles a join by the server, as the answer to a join at the position in `resume`. */
  joined(event: Omit<JoinedEvent, 'type' | 'group_id'>): void {
    const state = this.#state;
    const position = positionOf(event);
    // A leave that is not answered undoes this join, too.
    if (!position || state.inFlight?.cmd === 'leave_group') return;
    this.#server = 'joined';
    this.#want({});
    const { want, have } = state;
    // Not while the state is loaded: the join after it finds that it missed messages.
    if (!have && want?.next === 'add_group') {
      const result = recoveryOf(event, position, this.position);
      // The server did not know the position or `last`: leaves, and joins with it.
      const isOther = (result.reason && !event.reason) || (want.last && !this.position);
      const isBlind = isOther && !this.#isLeftToServer;
      state.have = isBlind ? 'unknown' : want;
      if (!isBlind) this.#enter(result);
    } else if (event.reason && this.state === 'joined') {
      // It was told in the welcome, and messages were lost since.
      this.#miss({ reason: event.reason, position });
    }
    this.#settle();
  }

  /** Handles a removal by the server, which ends the membership of all users. */
  removed(reason: string): void {
    this.#state.have = undefined;
    if (this.#state.want) {
      this.leave(new GroupcastError('removed', reason));
      this.events.emit('removed', { reason });
      this.#port.clientEvents.emit('removed', { groupId: this.groupId, reason });
    }
    this.#settle();
  }

  /** Sends the next command. */
  proceed(): void {
    const cmd = this.#next;
    if (!cmd) return;
    const { want } = this.#state;
    const since = cmd === 'add_group' ? this.#position.value : undefined;
    const sent: SentCommand = { cmd, want, since };
    this.#state.inFlight = sent;
    const range = cmd === 'add_group' && { since, last: since ? undefined : want?.last };
    this.#port.request({ cmd, group_id: this.groupId, ...range }, (...answer) =>
      this.#answered(sent, ...answer),
    );
    this.#port.changed(this);
  }

  receive(event: Omit<MessageEvent, 'type' | 'group_id'>): void {
    const position = this.#position.value;
    if (this.state !== 'joined' || !position) return;
    // An ephemeral message has no offset.
    if (event.offset !== undefined && !this.#position.receive(event.offset)) return;
    const received = messageOf(this.groupId, position.epoch, event);
    this.events.emit('message', received);
    if (this.groupId === USER_GROUP) this.#port.clientEvents.emit('userMessage', received);
    for (const buffer of this.#buffers) buffer.put(received);
  }

  /** Handles messages that the gateway dropped for this client. */
  gap(event: Omit<GapEvent, 'type' | 'group_id'>): void {
    const position = positionOf(event);
    if (position && this.state === 'joined') this.#miss({ reason: event.reason, position });
  }

  /** Handles a membership that the gateway lost. The next join recovers what is missed. */
  rejected(error: GroupcastError): void {
    this.#state.have = undefined;
    // If the loss is for good, the gateway rejects the next join.
    if (this.#state.want) this.#setBack(error);
    else this.#settle();
  }

  /** Handles an own message at `position` that the gateway does not deliver to this client. */
  skip(position: Position): void {
    this.#position.skip(position);
  }

  #leaveUnused(): void {
    if (!this.#isUsed && !this.#server) this.leave();
  }

  #want({ since, last }: CheckedRange, load?: LoadState): void {
    if (!load) {
      if (this.#state.want) {
        // It may have waited for the server only.
        this.#port.changed(this);
        return;
      }
      this.#position.set(since);
    }
    this.#state.want = { load, last, reason: 'start', next: load ? 'group_info' : 'add_group' };
    this.#attempt = 0;
    this.retryAtMs = 0;
    this.#port.changed(this);
  }

  /** Handles the answer to a command. Without `ack` and `rejection` its outcome is unknown. */
  #answered({ cmd, want, since }: SentCommand, ack?: AckEvent, rejection?: GroupcastError): void {
    const state = this.#state;
    state.inFlight = undefined;
    const position = ack && positionOf(ack);
    const isCurrent = want === state.want;
    if (cmd === 'add_group' && isCurrent && state.have) {
      // The server joined the group first, and this join brought nothing.
      this.#attempt = 0;
    } else if (rejection?.temporary) this.#retryLater();
    else if (cmd === 'leave_group') {
      if (ack ?? rejection) state.have = undefined;
    } else if (rejection) {
      if (isCurrent) this.#abandon(rejection);
    } else {
      if (cmd === 'add_group') state.have = position ? want : 'unknown';
      if (ack && !position) this.#retryLater();
      else if (want && ack && position && isCurrent) {
        if (cmd === 'add_group') this.#enter(recoveryOf(ack, position, since));
        else void this.#load(want, position);
      }
    }
    this.#settle();
  }

  #enter(joined: Joined): void {
    const { position, recovered, reason } = joined;
    this.#attempt = 0;
    if (!reason || !this.#state.want?.load) {
      // After a recovery the replayed messages move the position.
      if (!recovered) this.#position.set(position);
      this.#joined(joined);
    }
    // A listener can have left the group.
    if (reason && this.#state.want) this.#miss({ position, reason });
  }

  #joined(joined: Joined): void {
    for (const pending of this.#pendingJoins) pending.settle(joined);
    this.#pendingJoins.clear();
    this.events.emit('joined', joined);
    if (this.#server === 'joined') {
      this.#port.clientEvents.emit('joined', { groupId: this.groupId, ...joined });
    }
  }

  #miss(gap: Gap): void {
    const { position, reason } = gap;
    const load = this.#state.want?.load;
    if (load) {
      // Leaves and joins again, so that the history keeps the messages of the time of the load.
      void this.#load({ load, reason, next: undefined }, position);
    } else {
      this.#position.set(position);
      this.events.emit('gap', gap);
    }
  }

  async #load(want: Intent, position: Position): Promise<void> {
    const { load, reason } = want;
    this.#state.want = want;
    want.next = undefined;
    this.#position.set(position);
    this.#port.changed(this);
    let error: GroupcastError | undefined;
    try {
      await load?.({ position, reason });
    } catch (cause) {
      error = new GroupcastError('load_failed', 'See the cause.', { cause });
    }
    if (want !== this.#state.want) return;
    want.next = error ? 'group_info' : 'add_group';
    if (!error) this.#port.changed(this);
    else if (reason === 'start') this.#abandon(error);
    else this.#setBack(error);
  }

  #retryLater(): void {
    this.retryAtMs = performance.now() + reconnectDelayMs(this.#attempt, JOIN_RETRY_BOUNDS);
    this.#attempt += 1;
  }

  #setBack(error: GroupcastError): void {
    this.#retryLater();
    this.#settle();
    this.#fail(error);
  }

  #abandon(error: GroupcastError): void {
    this.leave(error);
    this.#fail(error);
  }

  #fail(error: GroupcastError): void {
    this.events.emit('error', error);
    this.#port.clientEvents.emit('error', error);
  }

  #settle(): void {
    if (this.#isOut) {
      for (const resolve of this.#pendingLeaves.splice(0)) resolve();
    }
    this.#port.changed(this);
  }
}
