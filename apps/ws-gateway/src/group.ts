import type { native, Position } from '@groupcast/protocol';
import type { Member } from './member.ts';

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
  readonly members: Set<Member> = new Set();
  state: 'subscribing' | 'live' = 'subscribing';
  /** Of the last publication that came, whether or not it has been written to members yet. */
  epoch = '';
  offset = 0;
  /** Since when there has been no member, in ticks of the wheel. */
  emptySince = 0;
  #pending: native.Publication[] = [];
  #pendingBytes = 0;

  constructor(name: string, channel: string) {
    this.name = name;
    this.channel = channel;
  }

  get position(): Position {
    return { epoch: this.epoch, offset: this.offset };
  }

  /** About how much memory the publications of this turn hold. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** Keeps a publication until the end of the turn. Says whether it is the first one. */
  queue(publication: native.Publication): boolean {
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
