import type { native, Position } from '@groupcast/protocol';
import type { GroupLoad } from './group-load.ts';
import type { Member } from './member.ts';
import type { Recovery } from './recovery.ts';

/** What counts for a publication beside its payload, in bytes: its object, its envelope. */
const PUBLICATION_OVERHEAD_BYTES = 128;

/**
 * One group that this worker follows.
 *
 *     subscribing -> live (the hub has said where the group stands)
 */
export class Group {
  readonly name: string;
  readonly channel: string;
  /** Who gets what comes. */
  readonly members: Set<Member> = new Set();
  /** Who is still being given what it missed; most groups never need it. */
  recoveries: Map<Member, Recovery> | undefined;
  state: 'subscribing' | 'live' = 'subscribing';
  /** Of the last publication that came, whether or not it has been written to members yet. */
  epoch = '';
  offset = 0;
  /** Since when there has been nobody, in ticks of the wheel. */
  emptySince = 0;
  /** What it carries, once it has carried anything. Only `GroupLoads` changes this. */
  load: GroupLoad | undefined;
  #pending: native.Publication[] = [];
  #pendingBytes = 0;

  constructor(name: string, channel: string) {
    this.name = name;
    this.channel = channel;
  }

  get position(): Position {
    return { epoch: this.epoch, offset: this.offset };
  }

  /** Whether nobody is in it, not even on the way. */
  get isEmpty(): boolean {
    return this.members.size === 0 && this.recoveries === undefined;
  }

  /** Whether somebody is in it, or on the way. */
  has(member: Member): boolean {
    return this.members.has(member) || this.recoveries?.has(member) === true;
  }

  moveTo(position: Position): void {
    this.epoch = position.epoch;
    this.offset = position.offset;
  }

  isAt(position: Position): boolean {
    return this.offset === position.offset && this.epoch === position.epoch;
  }

  /** Whether all up to a position has come here. */
  hasReached(position: Position): boolean {
    return this.offset >= position.offset && this.epoch === position.epoch;
  }

  /** About how much memory the publications of this turn hold. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** Keeps a publication until the end of the turn. Says whether it is the first one. */
  addPending(publication: native.Publication): boolean {
    this.#pendingBytes += publication.payload.length + PUBLICATION_OVERHEAD_BYTES;
    return this.#pending.push(publication) === 1;
  }

  /** The publications of this turn, in order; none are kept. */
  takePending(): readonly native.Publication[] {
    const pending = this.#pending;
    if (pending.length > 0) this.#pending = [];
    this.#pendingBytes = 0;
    return pending;
  }
}
