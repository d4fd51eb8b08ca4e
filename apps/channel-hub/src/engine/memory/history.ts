import { native } from '@groupcast/protocol';
import type { SubscribeSlot, TrimReason } from '../engine.ts';
import { ChannelCache } from './channel-cache.ts';
import { ChannelHistory } from './channel-history.ts';
import type { HistoryLimits } from './history-limits.ts';
import { PendingAppends, type AppendTarget } from './pending-appends.ts';
import { KeptPositions } from './kept-positions.ts';
import { ShardedMap } from './sharded-map.ts';
import { PublisherShares } from './publisher-shares.ts';
import { PositionOnly, type ChannelView } from './standing.ts';

/** What a channel that nobody follows costs beside its name and its publications, in bytes: measured too. */
export const CHANNEL_BYTES = 576;

/** Publications of one channel that came within this part of `ageMs` may be given up together: that much too late at most. */
const TOGETHER_SHARE = 1 / 64;

/** The part of the room that places may take. */
const PLACES_SHARE = 1 / 8;

/** Streams that one turn of the event loop forgets. */
const SWEEP_STREAMS_MAX = 1_000;

/** Gauges, and counters since the start. */
export interface HistoryCounts {
  /** Channels that something is kept for. */
  readonly channels: number;
  readonly publications: number;
  /** What is kept, in bytes, with what it costs beside the frames; not what followed channels cost without publications. */
  readonly bytes: number;
  readonly trimmed: Readonly<Record<TrimReason, number>>;
  /** Channels that lost all their publications for want of room. */
  readonly channelsDropped: number;
  /** Channels of which only the position is kept. */
  readonly positions: number;
  /** Such positions that were forgotten before their time, for want of room. */
  readonly positionsDropped: number;
}

/**
 * Where every channel stands, and its newest publications within the limits.
 *
 * A channel has a stream while it is followed, and while something is kept that was published to it. One that has none costs a place, if somebody was told
 * where it stands, and nothing otherwise. What was used for `ageMs` by nobody is forgotten.
 *
 * Every stream with publications belongs to the share of the publisher that made it grow last. When all together take too much, the heaviest share loses what
 * it used longest ago.
 *
 * Publications of a run are sorted in later, many at a time, before anybody looks. Those past their age leave when their channel is used, or with all the others when it was not used for that long.
 */
export class History implements AppendTarget {
  readonly #limits: HistoryLimits;
  readonly #streams = new ShardedMap<ChannelHistory>();
  readonly #cache = new ChannelCache();
  // Whoever looks at publications or counts them must sort these in first.
  readonly #arrivals = new PendingAppends();
  readonly #places: KeptPositions;
  readonly #shares = new PublisherShares();
  readonly #trimmed: Record<TrimReason, number> = { count: 0, age: 0, bytes: 0, total: 0 };
  #channelsDropped = 0;
  #publications = 0;
  // Of streams, without the places.
  #bytes = 0;

  constructor(historyLimits: HistoryLimits) {
    this.#limits = historyLimits;
    this.#places = new KeptPositions(historyLimits.ageMs, historyLimits.totalBytesMax * PLACES_SHARE);
  }

  /** What is kept, and what was given up. */
  stats(): HistoryCounts {
    this.#sortIn();
    return {
      channels: this.#streams.size,
      publications: this.#publications,
      bytes: this.#bytes + this.#places.bytes,
      trimmed: { ...this.#trimmed },
      channelsDropped: this.#channelsDropped,
      positions: this.#places.size,
      positionsDropped: this.#places.dropped,
    };
  }

  /** Turns a PUBLISH, which came from the peer `publisher`, into the DELIVER of the channel's next offset, in place, and keeps a copy. */
  publish(channel: string, frame: Uint8Array, publisher: number): ChannelHistory {
    const nowMs = performance.now();
    const stream = this.#use(channel);
    stream.publisher = publisher;
    stream.advance(1);
    native.turnIntoDeliver(frame, stream.top);
    this.append(stream, frame, 0, frame.length, 1, nowMs);
    this.appended(stream, nowMs);
    this.#fitTotal();
    return stream;
  }

  /** The stream of the channel that the publication at `start` names; undefined when it is not at hand, though there may be one. */
  find(bytes: Uint8Array, start: number): ChannelHistory | undefined {
    return this.#cache.find(bytes, native.channelAt(start), native.channelLengthAt(bytes, start));
  }

  /**
   * Keeps copies of the DELIVERs of the stream's next `count` offsets, which lie from `start` to `end`. They may stay where they are until somebody
   * looks, at the latest until the next `sweep`, and must not be changed.
   */
  add(stream: ChannelHistory, bytes: Uint8Array, start: number, end: number, count: number, nowMs: number): void {
    stream.advance(count);
    this.#arrivals.add(stream, bytes, start, end, count, nowMs);
    if (this.#arrivals.isFull) this.#sortIn();
  }

  /** Where the channel stands, which somebody is told, and what is kept of it. */
  read(channel: string): ChannelView {
    this.#sortIn();
    const stream = this.#streams.get(channel);
    if (stream !== undefined) {
      this.#used(stream, performance.now());
      if (this.#settle(stream)) return stream;
    }
    const offset = this.#places.read(channel);
    this.#fitTotal();
    return new PositionOnly(offset);
  }

  /** Keeps the channel, whatever its age, until `unfollow`. */
  subscribe(channel: string, follower: SubscribeSlot): ChannelHistory {
    const stream = this.#use(channel);
    const wasFollowed = stream.isSubscribed;
    stream.slot = follower;
    this.#used(stream, performance.now());
    if (!wasFollowed) this.#weigh(stream, -costOf(stream));
    this.#settle(stream);
    return stream;
  }

  unsubscribe(channel: string): void {
    this.#sortIn();
    const stream = this.#streams.get(channel);
    if (stream === undefined || !stream.isSubscribed) return;
    stream.slot = undefined;
    this.#weigh(stream, costOf(stream));
    this.#used(stream, performance.now());
    this.#settle(stream);
    this.#fitTotal();
  }

  /** Forgets what was not used for `ageMs`, some of it: whether there is more to do. */
  sweep(): boolean {
    this.#sortIn();
    this.#places.sweep();
    const expiredMs = performance.now() - this.#limits.ageMs;
    let left = SWEEP_STREAMS_MAX;
    for (const { recency } of this.#shares.all) {
      for (
        let stream = recency.oldest;
        stream !== undefined && stream.usedMs < expiredMs;
        stream = recency.oldest
      ) {
        if (left === 0) return true;
        left -= 1;
        this.#forget(stream);
      }
    }
    return false;
  }

  /** The channel's stream, from now on. */
  #use(channel: string): ChannelHistory {
    this.#sortIn();
    const stream = this.#streams.get(channel) ?? this.#add(channel);
    this.#cache.put(stream);
    return stream;
  }

  #used(stream: ChannelHistory, nowMs: number): void {
    stream.usedMs = nowMs;
    while (stream.oldestMs < nowMs - this.#limits.ageMs) this.#drop(stream, stream.oldestCount, 'age');
  }

  #sortIn(): void {
    if (this.#arrivals.isEmpty) return;
    this.#arrivals.flushTo(this);
    // Only now: a stream must not be let go while something of it is still to come.
    this.#fitTotal();
  }

  /** From Arrivals. */
  append(stream: ChannelHistory, bytes: Uint8Array, start: number, end: number, count: number, nowMs: number): void {
    const heldBefore = stream.heldBytes;
    stream.push(bytes, start, end, count, nowMs, this.#limits.ageMs * TOGETHER_SHARE);
    this.#publications += count;
    if (stream.heldBytes === heldBefore) return;
    // Seldom: it takes another block.
    this.#weigh(stream, stream.heldBytes - heldBefore);
    this.#own(stream, bytes, start);
  }

  /** From Arrivals. */
  appended(stream: ChannelHistory, nowMs: number): void {
    const { bytesMax, countMax } = this.#limits;
    this.#used(stream, nowMs);
    if (stream.count > countMax) this.#drop(stream, stream.count - countMax, 'count');
    // The newest one stays, however long it is: a message that was let in can be recovered.
    const countMin = bytesMax > 0 ? 1 : 0;
    while (stream.count > countMin && stream.exceeds(bytesMax)) this.#drop(stream, 1, 'bytes');
    this.#settle(stream);
  }

  #add(channel: string): ChannelHistory {
    const stream = new ChannelHistory(channel, this.#places.release(channel));
    this.#streams.set(channel, stream);
    this.#bytes += costOf(stream);
    return stream;
  }

  /** The stream takes so many bytes more, or less. */
  #weigh(stream: ChannelHistory, bytes: number): void {
    this.#bytes += bytes;
    if (stream.share !== undefined) this.#shares.weigh(stream.share, bytes);
  }

  /** The stream belongs to whoever sent the publication at `start`, from now on. */
  #own(stream: ChannelHistory, bytes: Uint8Array, start: number): void {
    const share = this.#shares.of(bytes, start, stream.publisher);
    if (share === stream.share) return;
    const weight = stream.heldBytes + (stream.isSubscribed ? 0 : costOf(stream));
    if (stream.share !== undefined) {
      stream.share.recency.remove(stream);
      this.#shares.weigh(stream.share, -weight);
    }
    stream.share = share;
    this.#shares.weigh(share, weight);
  }

  #fitTotal(): void {
    while (this.#bytes + this.#places.bytes > this.#limits.totalBytesMax) {
      const stream = this.#shares.heaviest()?.recency.oldest;
      if (stream === undefined) return;
      this.#drop(stream, stream.oldestCount, 'total');
      if (stream.count > 0) continue;
      this.#channelsDropped += 1;
      stream.share?.recency.remove(stream);
      if (stream.isSubscribed) continue;
      this.#remove(stream);
      this.#places.keepSpare(stream.channel, stream.top);
    }
  }

  #drop(stream: ChannelHistory, count: number, reason: TrimReason): void {
    const heldBefore = stream.heldBytes;
    stream.drop(count);
    this.#trimmed[reason] += count;
    this.#publications -= count;
    this.#weigh(stream, stream.heldBytes - heldBefore);
  }

  /** Puts the stream, which was used just now or lost something, where it belongs. Whether it is still there: without publications and followers it becomes a place. */
  #settle(stream: ChannelHistory): boolean {
    if (stream.count > 0) {
      stream.share?.recency.touch(stream);
      return true;
    }
    // Left at its old place, with a time that is new, it would hide all that is behind it from the sweep.
    stream.share?.recency.remove(stream);
    if (stream.isSubscribed) return true;
    this.#remove(stream);
    this.#places.keep(stream.channel, stream.top);
    return false;
  }

  /** The stream was not used since the limit of age, so that everything in it is past its age, and nobody was told where it stands. */
  #forget(stream: ChannelHistory): void {
    this.#trimmed.age += stream.count;
    this.#publications -= stream.count;
    this.#weigh(stream, -stream.heldBytes);
    stream.clear();
    stream.share?.recency.remove(stream);
    if (stream.isSubscribed) return;
    this.#remove(stream);
    this.#places.forget(stream.top);
  }

  #remove(stream: ChannelHistory): void {
    this.#streams.delete(stream.channel);
    this.#cache.remove(stream);
    this.#weigh(stream, -costOf(stream));
  }
}

/** What a stream that nobody follows costs beside its publications, in bytes. */
function costOf(stream: ChannelHistory): number {
  return CHANNEL_BYTES + stream.nameBytes;
}
