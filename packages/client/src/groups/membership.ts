import type { AckEvent, GapEvent, MessageEvent, Position } from '@groupcast/protocol/client';
import { reconnectDelayMs } from '@groupcast/protocol/client';
import { positionOf } from '../connection/wire.ts';
import { Emitter } from '../emitter.ts';
import { GroupcastError } from '../groupcast-error.ts';
import { JOIN_RETRY_BOUNDS } from '../limits.ts';
import { type Call, type CallOptions, ignoreRejection, openCall } from './call.ts';
import type { Gap, GroupEvents, Joined, Message } from './group-events.ts';
import { GroupPosition } from './group-position.ts';
import type { GroupState, Intent, LoadState, SentCommand } from './group-state.ts';
import { nextCommand, recoveryOf } from './group-state.ts';
import type { MembershipPort } from './membership-port.ts';
import { MessageBuffer } from './message-buffer.ts';

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
    return !!this.#state.want && !this.#isOut;
  }

  get isInUse(): boolean {
    return !!this.#state.want || !this.#isOut || this.events.hasListeners;
  }

  /** There is a command to send, at `retryAtMs` or later. */
  get isDue(): boolean {
    return nextCommand(this.#state) !== undefined;
  }

  /** The gateway certainly does not have this client in the group. */
  get #isOut(): boolean {
    return !(this.#state.have ?? this.#state.inFlight);
  }

  /**
   * Joins: after `since` unless the group is in use already, or from the state that `load` loads.
   */
  join(options: CallOptions, since: Position | undefined, load?: LoadState): Promise<Joined> {
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
    this.#want(since, load);
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
    this.#want(undefined, undefined);
    return buffer;
  }

  /** Leaves for all users. `error` is the reason. */
  leave(error: GroupcastError = new GroupcastError('left', 'The group was left.')): void {
    if (!this.#state.want) return;
    this.#state.want = undefined;
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
    this.#settle();
  }

  /** Sends the next command. */
  proceed(): void {
    const cmd = nextCommand(this.#state);
    if (!cmd) return;
    const since = cmd === 'add_group' ? this.#position.value : undefined;
    const sent: SentCommand = { cmd, want: this.#state.want, since };
    this.#state.inFlight = sent;
    this.#port.request({ cmd, group_id: this.groupId, since }, (...answer) =>
      this.#answered(sent, ...answer),
    );
    this.#port.changed(this);
  }

  receive({ group_id: groupId, offset, message, from }: MessageEvent): void {
    const position = this.#position.value;
    if (this.state !== 'joined' || !position || offset === undefined) return;
    if (!this.#position.receive(offset)) return;
    const clientId = from?.client_id;
    const sender = typeof clientId === 'string' && { from: { clientId } };
    const received: Message = { groupId, ...position, offset, message: message ?? null, ...sender };
    this.events.emit('message', received);
    for (const buffer of this.#buffers) buffer.put(received);
  }

  /** Handles messages that the gateway dropped for this client. */
  gap(event: GapEvent): void {
    const position = positionOf(event);
    if (position && this.state === 'joined') this.#miss({ reason: event.reason, position });
  }

  /** Handles a removal by the gateway. The next join recovers what is missed meanwhile. */
  removed(error: GroupcastError): void {
    this.#state.have = undefined;
    // If the removal is for good, the gateway rejects the next join.
    if (this.#state.want) this.#setBack(error);
    else this.#settle();
  }

  /** Handles an own message at `position` that the gateway does not deliver to this client. */
  skip(position: Position): void {
    this.#position.skip(position);
  }

  #leaveUnused(): void {
    if (this.#joins + this.#buffers.size === 0) this.leave();
  }

  #want(since: Position | undefined, load: LoadState | undefined): void {
    if (!load) {
      if (this.#state.want) return;
      this.#position.set(since);
    }
    this.#state.want = { load, reason: 'start', next: load ? 'group_info' : 'add_group' };
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
    if (rejection?.temporary) this.#retryLater();
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
    if (reason) this.#miss({ position, reason });
  }

  #joined(joined: Joined): void {
    for (const pending of this.#pendingJoins) pending.settle(joined);
    this.#pendingJoins.clear();
    this.events.emit('joined', joined);
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
    this.#port.failed(error);
  }

  #settle(): void {
    if (this.#isOut) {
      for (const resolve of this.#pendingLeaves.splice(0)) resolve();
    }
    this.#port.changed(this);
  }
}
