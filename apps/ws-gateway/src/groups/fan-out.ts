import type { native } from '@groupcast/protocol';
import type { Counters } from '../admin/gateway-stats.ts';
import type { GatewayOptions } from '../options.ts';
import { EncodedBatch } from './encoded-batch.ts';
import type { Group } from './group.ts';
import type { GroupLoads } from './group-loads.ts';
import type { HistoryPage } from './hub-port.ts';
import type { Member } from './member.ts';
import type { MessageLoads } from './message-loads.ts';
import { payloadFault } from './payload-fault.ts';

/** Bytes of pending publications above which a group does not wait for the end of the turn. */
const PENDING_BYTES_MAX = 256 * 1024;

type FanOutOptions = Pick<GatewayOptions, 'log' | 'ephemeralBufferBytesMax'>;

/**
 * Delivers publications to members. Those of one group and one event-loop turn are encoded once,
 * and leave in one write for each member.
 */
export class FanOut {
  readonly #options: FanOutOptions;
  readonly #counters: Counters;
  /** Undefined where groups have no byte limit. */
  readonly #byteLoads: GroupLoads | undefined;
  readonly #messageLoads: MessageLoads | undefined;
  /** Groups with publications of this turn. */
  #pending: Group[] = [];
  /** Time of the first of them, where the turn is measured. */
  #startMs = 0;
  /**
   * Batches of history pages: members that missed the same messages share a page and its frames.
   */
  readonly #pageBatches = new WeakMap<HistoryPage, EncodedBatch>();

  constructor(
    options: FanOutOptions,
    counters: Counters,
    byteLoads: GroupLoads | undefined,
    messageLoads?: MessageLoads,
  ) {
    this.#options = options;
    this.#counters = counters;
    this.#byteLoads = byteLoads;
    this.#messageLoads = messageLoads;
  }

  /** Delivers a publication to the members of its group at the end of this turn. */
  deliver(group: Group, publication: native.Publication): void {
    if (group.members.size === 0 || !this.#isValid(publication)) return;
    if (group.addPending(publication)) {
      if (this.#pending.push(group) === 1) {
        this.#startMs = this.#counters.deliveryDurations.start();
        setImmediate(deliverAllPending, this);
      }
    }
    if (group.pendingBytes > PENDING_BYTES_MAX) this.deliverPending(group);
  }

  /**
   * Delivers the pending publications of a group, so that later writes follow. May end memberships.
   */
  deliverPending(group: Group): void {
    const publications = group.takePending();
    if (publications.length === 0) return;
    try {
      const batch = new EncodedBatch(group.name, publications);
      if (batch.ephemeral === 0) for (const member of group.members) this.#deliverTo(member, batch);
      else for (const member of group.members) this.#deliverTo(member, this.#fitting(member, batch));
      // Clients do not publish to users: there is no load to share.
      if (group.isOfUser) return;
      const nowMs = performance.now();
      this.#byteLoads?.delivered(group, batch.bytesMax, nowMs);
      this.#messageLoads?.delivered(group, batch.size, nowMs);
    } catch (error) {
      this.#options.log.error(
        { error, publications: publications.length },
        'publications could not be delivered',
      );
    }
  }

  /** Delivers the pending publications of all groups. Called by the event loop. */
  deliverAllPending(): void {
    const pending = this.#pending;
    const startMs = this.#startMs;
    this.#pending = [];
    for (const group of pending) this.deliverPending(group);
    this.#counters.deliveryDurations.end(startMs);
  }

  /** Delivers a page of history to one member. Returns the bytes of the page's longest encoding. */
  deliverPage(group: Group, member: Member, page: HistoryPage): number {
    let batch = this.#pageBatches.get(page);
    if (batch === undefined) {
      batch = new EncodedBatch(
        group.name,
        page.publications.filter((publication) => this.#isValid(publication)),
      );
      this.#pageBatches.set(page, batch);
    }
    this.#counters.recoveredMessages += this.#deliverTo(member, batch);
    return batch.bytesMax;
  }

  #isValid(publication: native.Publication): boolean {
    const fault = payloadFault(publication);
    if (fault !== undefined) this.#counters.dropped[fault] += 1;
    return fault === undefined;
  }

  /** Returns the batch, or what is left of it for a member with too much buffered. */
  #fitting(member: Member, batch: EncodedBatch): EncodedBatch {
    if (member.bufferedBytes <= this.#options.ephemeralBufferBytesMax) return batch;
    this.#counters.ephemeralDropped += batch.ephemeral;
    return batch.stored;
  }

  /** Delivers a batch, without messages that exclude the member. Returns the number of messages. */
  #deliverTo(member: Member, batch: EncodedBatch): number {
    if (!batch.excludes(member))
      return this.#deliverFrames(member, batch.frames(member.protocol), batch.size);
    const { frames, count } = batch.framesWithout(member);
    return this.#deliverFrames(member, frames, count);
  }

  #deliverFrames(member: Member, frames: Uint8Array, count: number): number {
    if (count === 0) return 0;
    this.#counters.delivered += count;
    this.#counters.deliveryWrites += 1;
    member.deliver(frames);
    return count;
  }
}

function deliverAllPending(fanOut: FanOut): void {
  fanOut.deliverAllPending();
}
