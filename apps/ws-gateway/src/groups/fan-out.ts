import type { native } from '@groupcast/protocol';
import type { Log } from '@groupcast/service';
import type { Counters } from '../admin/gateway-stats.ts';
import { EncodedBatch } from './encoded-batch.ts';
import type { Group } from './group.ts';
import type { GroupLoads } from './group-loads.ts';
import type { Member } from './member.ts';
import { payloadFault } from './payload-fault.ts';

/** A group whose publications of one turn hold more than this does not wait for the end of the turn. */
const TURN_BYTES_MAX = 256 * 1024;

/** Hands publications to members: those of one group and one turn together, encoded once, in one write for each member. */
export class FanOut {
  readonly #log: Log;
  readonly #counters: Counters;
  /** Nothing where groups have no limit. */
  readonly #loads: GroupLoads | undefined;
  /** Groups that got publications in this turn. */
  #dirty: Group[] = [];

  constructor(log: Log, counters: Counters, loads: GroupLoads | undefined) {
    this.#log = log;
    this.#counters = counters;
    this.#loads = loads;
  }

  /** Takes a publication, which the group's members get at the end of this turn. */
  deliver(group: Group, publication: native.Publication): void {
    if (group.members.size === 0 || !this.#isFit(publication)) return;
    if (group.addPending(publication)) {
      if (this.#dirty.push(group) === 1) setImmediate(endTurn, this);
    }
    if (group.pendingBytes > TURN_BYTES_MAX) this.deliverPending(group);
  }

  /** Writes what has come for a group now, so that what is written next comes behind it. May end memberships. */
  deliverPending(group: Group): void {
    const publications = group.takePending();
    if (publications.length === 0) return;
    try {
      const batch = new EncodedBatch(group.name, publications);
      for (const member of group.members) this.deliverTo(member, batch);
      this.#loads?.delivered(group, batch.bytesMax, performance.now());
    } catch (error) {
      this.#log.error({ error, publications: publications.length }, 'publications could not be delivered');
    }
  }

  /** Publications of history as a batch, without those that must not come to clients. */
  batchOf(group: Group, publications: readonly native.Publication[]): EncodedBatch {
    return new EncodedBatch(
      group.name,
      publications.filter((publication) => this.#isFit(publication)),
    );
  }

  /** Sends what a member may have of a batch; answers with how many publications that was. */
  deliverTo(member: Member, batch: EncodedBatch): number {
    if (!batch.excludes(member)) return this.#write(member, batch.frames(member.protocol), batch.size);
    const { frames, count } = batch.framesWithout(member);
    return this.#write(member, frames, count);
  }

  /** Writes what this turn brought. Called by the event loop. */
  deliverAllPending(): void {
    const dirty = this.#dirty;
    this.#dirty = [];
    for (const group of dirty) this.deliverPending(group);
  }

  #isFit(publication: native.Publication): boolean {
    const fault = payloadFault(publication);
    if (fault !== undefined) this.#counters.dropped[fault] += 1;
    return fault === undefined;
  }

  #write(member: Member, frames: Uint8Array, count: number): number {
    if (count === 0) return 0;
    this.#counters.delivered += count;
    this.#counters.deliveryWrites += 1;
    member.deliver(frames);
    return count;
  }
}

function endTurn(deliveries: FanOut): void {
  deliveries.deliverAllPending();
}
