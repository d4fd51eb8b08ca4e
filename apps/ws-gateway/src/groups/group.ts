import { limits, native, type Position } from '@groupcast/protocol';
import type { GroupLoad } from './group-load.ts';
import type { Subscription } from './hub-port.ts';
import type { Member } from './member.ts';

/** Bytes that a publication counts beside its payload, for its object and its envelope. */
const PUBLICATION_OVERHEAD_BYTES = 128;

const NOT_SUBSCRIBED: Subscription = { epoch: '', offset: 0, position: { epoch: '', offset: 0 } };

/**
 * A group that this worker is subscribed to.
 *
 *     subscribing -> live (the hub has told the position of the group)
 */
export class Group {
  readonly name: string;
  readonly channel: string;
  /** Members that get every new message. */
  readonly members: Set<Member> = new Set();
  /**
   * Members that the program around the gateway has added: no permission is asked for them.
   * Undefined where it has added none, or permissions never change.
   */
  addedByProgram: Set<Member> | undefined;
  state: 'subscribing' | 'live' = 'subscribing';
  /** Handle with the position of the last publication from the hub, delivered or pending. */
  subscription: Subscription = NOT_SUBSCRIBED;
  /** Tick in which the last member left. */
  emptySinceTick = 0;
  /** Load of the group in bytes, once it had any. Only `GroupLoads` changes this and the next. */
  byteLoad: GroupLoad | undefined;
  /** Load of the group in messages, where its namespace has a rate. */
  messageLoad: GroupLoad | undefined;
  #pending: native.Publication[] = [];
  #pendingBytes = 0;

  constructor(name: string, channel: string) {
    this.name = name;
    this.channel = channel;
  }

  /** Whether this is the channel of a user. */
  get isOfUser(): boolean {
    return this.name === limits.USER_GROUP;
  }

  get position(): Position {
    return this.subscription.position;
  }

  isAt(position: Position): boolean {
    return this.subscription.offset === position.offset && this.#hasEpoch(position.epoch);
  }

  /** Returns whether the hub has delivered all publications up to a position. */
  hasReached(position: Position): boolean {
    return this.subscription.offset >= position.offset && this.#hasEpoch(position.epoch);
  }

  /**
   * Returns a position of a page in the name that this group has for its epoch. `asked` is the
   * epoch of the question: if it is that of the group, and the hub has only renamed it, the group
   * learns the new name later.
   */
  inOwnEpoch(position: Position, epochIs: native.EpochComparison, asked: string): Position {
    return epochIs === 'renamed' && this.#hasEpoch(asked) ? { ...position, epoch: asked } : position;
  }

  /** Approximate memory of the pending publications, in bytes. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** Adds a publication to those of this turn. Returns whether it is the first one. */
  addPending(publication: native.Publication): boolean {
    this.#pendingBytes += publication.payload.length + PUBLICATION_OVERHEAD_BYTES;
    return this.#pending.push(publication) === 1;
  }

  /** Removes and returns the publications of this turn, in order. */
  takePending(): readonly native.Publication[] {
    const pending = this.#pending;
    if (pending.length > 0) this.#pending = [];
    this.#pendingBytes = 0;
    return pending;
  }

  #hasEpoch(epoch: string): boolean {
    return native.compareEpochs(this.subscription.epoch, epoch) === 'same';
  }
}
