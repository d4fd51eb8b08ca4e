import {
  type AckEvent,
  type ClientCommandBody,
  type GapEvent,
  type GapReason,
  type MessageEvent,
  type Position,
  reconnectDelayMs,
} from '@groupcast/protocol/client';
import { positionOf } from '../connection/wire.ts';
import { Emitter } from '../emitter.ts';
import { GroupcastError } from '../groupcast-error.ts';
import { JOIN_RETRY_BOUNDS } from '../limits.ts';
import type { Answer } from '../sending/requests.ts';
import { type Call, type CallOptions, ignoreRejection, openCall } from './call.ts';
import type { Gap, GroupEvents, Joined, Message } from './group-events.ts';
import { GroupPosition } from './group-position.ts';
import { MessageBuffer } from './message-buffer.ts';

/** What the application is to load its data for. */
export interface LoadRequest {
  /** The data must be at least as new; messages after it follow when it is loaded. */
  readonly position: Position;
  /** `start` at first; else why messages were missed since the last time. */
  readonly reason: GapReason | 'start';
}

export type LoadState = (request: LoadRequest) => unknown;

/** What a membership needs of its client. */
export interface MembershipPort {
  /** Messages that an iteration may be behind. */
  readonly bufferMax: number;
  /** Throws why the client is closed, once it is. */
  assertOpen(): void;
  /** Sends a command, now. */
  ask(command: ClientCommandBody, answer: Answer): void;
  /** It has something to send, or its use has changed. */
  changed(membership: Membership): void;
  failed(error: GroupcastError): void;
}

/** No turn: the gateway may have us in the group, or has us in it in a way that is of no use. */
const UNSURE = -1;

/**
 * This client in one group.
 *
 *     left -> joining -> joined                      any -> left
 *                ^          |
 *                +----------+   the connection was lost; or the state must be loaded again
 *
 * At most one command is under way. A *turn* is one time of being wanted in one way; what the gateway has is compared with it,
 * so that whatever happens in between, what is sent next is always what leads from there to what is wanted.
 */
export class Membership {
  readonly groupId: string;
  readonly events: Emitter<GroupEvents> = new Emitter(() => this.#port.changed(this));
  /** The group of the application, which lives as long as this. */
  owner: unknown;
  /** Nothing is to be sent before. */
  retryAtMs = 0;
  readonly #port: MembershipPort;
  readonly #position = new GroupPosition();
  /** Joins that were not undone. */
  #joins = 0;
  /** Iterations that have not ended. */
  readonly #buffers = new Set<MessageBuffer<Message>>();
  /** Joins that wait for their answer. */
  readonly #waiters = new Set<Call<Joined>>();
  readonly #leavers: (() => void)[] = [];
  #wanted = false;
  #turn = 0;
  /** The turn in which the gateway has put us into the group; `undefined` when we are not in it. */
  #inTurn: number | undefined;
  #isAsking = false;
  #attempt = 0;
  #load: LoadState | undefined;
  #loadReason: LoadRequest['reason'] = 'start';
  #stage: 'asking' | 'loading' | 'loaded' = 'loaded';

  constructor(groupId: string, port: MembershipPort) {
    this.groupId = groupId;
    this.#port = port;
  }

  get state(): 'left' | 'joining' | 'joined' {
    if (!this.#wanted) return 'left';
    return this.#inTurn === this.#turn ? 'joined' : 'joining';
  }

  get position(): Position | undefined {
    return this.#position.value;
  }

  /** Whether it counts among the groups of the connection. */
  get takesPlace(): boolean {
    return this.#wanted && !this.#isOut;
  }

  /** Whether the application or the gateway has something to do with it. */
  get isInUse(): boolean {
    return this.#wanted || !this.#isOut || this.events.hasListeners;
  }

  /** Whether there is a command to be sent, from `retryAtMs` on. */
  get isDue(): boolean {
    if (this.#isAsking || this.#inTurn === this.#turn) return false;
    return this.#inTurn !== undefined || (this.#wanted && this.#stage !== 'loading');
  }

  /** Whether the gateway certainly has us out of the group, and is asked nothing about it. */
  get #isOut(): boolean {
    return !this.#isAsking && this.#inTurn === undefined;
  }

  /**
   * Adds a user who wants to be in the group: from `since` on, where it is not wanted yet; or from the state that `load` gets.
   * Resolves when the group is joined.
   */
  join(options: CallOptions, since: Position | undefined, load?: LoadState): Promise<Joined> {
    this.#port.assertOpen();
    this.#joins += 1;
    const position = this.#position.value;
    if (load === undefined && this.state === 'joined' && position !== undefined) {
      return Promise.resolve({ position });
    }
    const waiter: Call<Joined> = openCall(options, (reason) => {
      this.#waiters.delete(waiter);
      waiter.settle(Promise.reject(reason));
      this.release();
    });
    // First: a join may be refused at once.
    this.#waiters.add(waiter);
    this.#want(since, load);
    return waiter.promise;
  }

  /** Undoes one join. The last one leaves the group, unless an iteration is in it. */
  release(): void {
    if (this.#joins > 0) this.#joins -= 1;
    this.#leaveUnused();
  }

  /** Wants to be in the group until the iteration ends. */
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

  /** Wants to be out of the group, for all users. `error` is why. */
  leave(error: GroupcastError = new GroupcastError('left', 'The group was left.')): void {
    if (!this.#wanted) return;
    this.#wanted = false;
    this.#joins = 0;
    this.#turn += 1;
    this.#position.set(undefined);
    this.#load = undefined;
    this.#port.changed(this);
    const isAsked = ['left', 'closed'].includes(error.code);
    for (const waiter of this.#waiters) {
      if (isAsked) ignoreRejection(waiter.promise);
      waiter.settle(Promise.reject(error));
    }
    this.#waiters.clear();
    // What the application has asked for is a good end.
    const failure = isAsked ? undefined : error;
    for (const buffer of this.#buffers) buffer.end(failure);
    this.events.emit('left', { error: failure });
  }

  /** Resolves when the gateway has confirmed that it was left, or cannot any more; at once where it is wanted. */
  leaving(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#wanted || this.#isOut) resolve();
      else this.#leavers.push(resolve);
    });
  }

  /** The connection has ended: the gateway knows nothing of us. */
  disconnected(): void {
    this.#inTurn = undefined;
    this.retryAtMs = 0;
    this.#settle();
  }

  /** Sends the next command. Only when `isDue`. */
  proceed(): void {
    const turn = this.#turn;
    const group_id = this.groupId;
    if (this.#inTurn !== undefined) {
      this.#ask({ cmd: 'leave_group', group_id }, () => {
        this.#inTurn = undefined;
      });
    } else if (this.#stage === 'asking') {
      this.#ask({ cmd: 'group_info', group_id }, (ack) => this.#startLoad(turn, positionOf(ack)));
    } else {
      const since = this.#position.value;
      this.#ask({ cmd: 'add_group', group_id, ...(since && { since }) }, (ack) => {
        const position = positionOf(ack);
        this.#inTurn = position === undefined ? UNSURE : turn;
        if (position === undefined) this.#retryLater();
        else if (turn === this.#turn) this.#enter(ack, position, since);
      });
    }
  }

  receive({ group_id: groupId, offset, message, from }: MessageEvent): void {
    const position = this.#position.value;
    if (this.state !== 'joined' || !position || !this.#position.receive(offset)) return;
    const clientId = from?.client_id;
    const sender = typeof clientId === 'string' && { from: { clientId } };
    const received: Message = { groupId, ...position, offset, message: message ?? null, ...sender };
    this.events.emit('message', received);
    for (const buffer of this.#buffers) buffer.put(received);
  }

  /** The gateway could not keep up with the group. */
  gap(event: GapEvent): void {
    const position = positionOf(event);
    if (this.state === 'joined' && position !== undefined) this.#miss({ reason: event.reason, position });
  }

  /** The gateway has taken us out of the group. What we miss until we are in it again comes then. */
  expelled(error: GroupcastError): void {
    this.#inTurn = undefined;
    // Should it be for good, the answer to the next join says so.
    if (this.#wanted) this.#setBack(error);
    else this.#settle();
  }

  /** A message of ours that does not come back to us was published there. */
  skip(position: Position): void {
    this.#position.skip(position);
  }

  #leaveUnused(): void {
    if (this.#joins + this.#buffers.size === 0) this.leave();
  }

  #want(since: Position | undefined, load: LoadState | undefined): void {
    if (load !== undefined) this.#loadReason = 'start';
    else if (this.#wanted) return;
    else this.#position.set(since);
    this.#wanted = true;
    this.#turn += 1;
    this.#attempt = 0;
    this.retryAtMs = 0;
    this.#load = load;
    this.#stage = load === undefined ? 'loaded' : 'asking';
    this.#port.changed(this);
  }

  #ask(command: ClientCommandBody, acked: (ack: AckEvent) => void): void {
    const turn = this.#turn;
    this.#isAsking = true;
    this.#port.ask(command, (ack, refusal) => {
      this.#isAsking = false;
      if (ack !== undefined) acked(ack);
      else if (refusal === undefined) {
        if (command.cmd === 'add_group') this.#inTurn = UNSURE;
      } else if (refusal.temporary) this.#retryLater();
      else if (command.cmd === 'leave_group') this.#inTurn = undefined;
      else if (turn === this.#turn) this.#giveUp(refusal);
      this.#settle();
    });
    this.#port.changed(this);
  }

  #enter({ recovered, reason }: AckEvent, position: Position, since: Position | undefined): void {
    this.#attempt = 0;
    const isSameEpoch = position.epoch === since?.epoch;
    if (since === undefined) {
      this.#position.set(position);
      this.#tellJoined({ position });
    } else if (isSameEpoch && (recovered === true || position.offset === since.offset)) {
      // What was missed comes now, and moves the position as it does.
      this.#tellJoined({ position: since, recovered: true });
    } else {
      const why = reason ?? (isSameEpoch ? 'trimmed' : 'epoch_changed');
      if (this.#load === undefined) {
        this.#position.set(position);
        this.#tellJoined({ position, recovered: false, reason: why });
      }
      this.#miss({ position, reason: why });
    }
  }

  #tellJoined(joined: Joined): void {
    for (const waiter of this.#waiters) waiter.settle(joined);
    this.#waiters.clear();
    this.events.emit('joined', joined);
  }

  #miss(gap: Gap): void {
    if (this.#load === undefined) {
      this.#position.set(gap.position);
      this.events.emit('gap', gap);
      return;
    }
    // The group is left and joined again, so that the gateway's history holds the messages that come while the data is loaded.
    this.#turn += 1;
    this.#loadReason = gap.reason;
    this.#startLoad(this.#turn, gap.position);
    this.#port.changed(this);
  }

  #startLoad(turn: number, position: Position | undefined): void {
    const load = this.#load;
    if (turn !== this.#turn || load === undefined) return;
    if (position === undefined) this.#retryLater();
    else void this.#runLoad(turn, load, position);
  }

  async #runLoad(turn: number, load: LoadState, position: Position): Promise<void> {
    this.#stage = 'loading';
    this.#position.set(position);
    let error: GroupcastError | undefined;
    try {
      await load({ position, reason: this.#loadReason });
    } catch (cause) {
      error = new GroupcastError('load_failed', 'See the cause.', { cause });
    }
    if (turn !== this.#turn) return;
    this.#stage = error === undefined ? 'loaded' : 'asking';
    if (error === undefined) this.#port.changed(this);
    else if (this.#loadReason === 'start') this.#giveUp(error);
    else this.#setBack(error);
  }

  #retryLater(): void {
    this.retryAtMs = performance.now() + reconnectDelayMs(this.#attempt, JOIN_RETRY_BOUNDS);
    this.#attempt += 1;
  }

  /** Says what has gone wrong, and tries again later. */
  #setBack(error: GroupcastError): void {
    this.#retryLater();
    this.#settle();
    this.#fail(error);
  }

  #giveUp(error: GroupcastError): void {
    this.leave(error);
    this.#fail(error);
  }

  #fail(error: GroupcastError): void {
    this.events.emit('error', error);
    this.#port.failed(error);
  }

  #settle(): void {
    if (this.#isOut) {
      for (const resolve of this.#leavers.splice(0)) resolve();
    }
    this.#port.changed(this);
  }
}
