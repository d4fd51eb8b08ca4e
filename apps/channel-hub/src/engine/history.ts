import { native } from '@groupcast/protocol';
import { Arrivals, type ArrivalTaker } from './arrivals.ts';
import { ChannelCache } from './channel-cache.ts';
import type { FollowSlot } from './engine.ts';
import type { HistoryLimits } from './history-limits.ts';
import { Recency } from './recency.ts';
import { ShardedMap } from './sharded-map.ts';
import { Stream } from './stream.ts';

/** The bound for which a publication was given up. */
export type TrimReason = 'count' | 'age' | 'bytes' | 'total';

/** What a channel that nobody follows costs beside its name and its publications, in bytes: measured too. */
export const STREAM_BYTES = 576;

/** Publications of one channel that came within this part of `ageMs` may be given up together: that much too late at most. */
const TOGETHER_SHARE = 1 / 64;

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
}

/**
 * Where every channel stands, and its newest publications within the limits.
 *
 * A channel has a stream from its first use on, and keeps it while it is followed and until it was not used for `ageMs`. What was
 * forgotten, all together, leaves one number, the floor: no offset of a forgotten channel is above it, and every new stream
 * begins there. So an offset is never given twice, and offsets of a channel only rise.
 *
 * Publications of a run are sorted in later, many at a time, before anybody looks. Those past their age leave when their channel is used, or with all the others when it was not used for that long.
 */
export class History implements ArrivalTaker {
  readonly #limits: HistoryLimits;
  readonly #streams = new ShardedMap<Stream>();
  readonly #cache = new ChannelCache();
  // Whoever looks at publications or counts them must sort these in first.
  readonly #arrivals = new Arrivals();
  // All streams that have something to lose: publications, or themselves when nobody follows them.
  readonly #recency = new Recency();
  readonly #trimmed: Record<TrimReason, number> = { count: 0, age: 0, bytes: 0, total: 0 };
  #floor = 0;
  #publications = 0;
  #bytes = 0;

  constructor(historyLimits: HistoryLimits) {
    this.#limits = historyLimits;
  }

  /** What is kept, and what was given up. */
  stats(): HistoryCounts {
    this.#sortIn();
    return {
      channels: this.#streams.size,
      publications: this.#publications,
      bytes: this.#bytes,
      trimmed: { ...this.#trimmed },
    };
  }

  /** Turns a PUBLISH into the DELIVER of the channel's next offset, in place, and keeps a copy. */
  publish(channel: string, frame: Uint8Array): Stream {
    const stream = this.#use(channel);
    stream.advance(1);
    native.turnIntoDeliver(frame, stream.top);
    this.take(stream, frame, 0, frame.length, 1, stream.usedMs);
    this.taken(stream, stream.usedMs);
    this.#fitTotal();
    return stream;
  }

  /** The stream of the channel that the publication at `start` names; undefined when it is not at hand, though there may be one. */
  find(bytes: Uint8Array, start: number): Stream | undefined {
    return this.#cache.find(bytes, native.channelAt(start), native.channelLengthAt(bytes, start));
  }

  /**
   * Keeps copies of the DELIVERs of the stream's next `count` offsets, which lie from `start` to `end`. They may stay where they are until somebody
   * looks, at the latest until the next `sweep`, and must not be changed.
   */
  add(stream: Stream, bytes: Uint8Array, start: number, end: number, count: number, nowMs: number): void {
    stream.advance(count);
    this.#arrivals.add(stream, bytes, start, end, count, nowMs);
    if (this.#arrivals.isFull) this.#sortIn();
  }

  /** The channel as it is, for one answer. */
  read(channel: string): Stream {
    const stream = this.#use(channel);
    this.#fitTotal();
    return stream;
  }

  /** Keeps the channel, whatever its age, until `unfollow`. */
  follow(channel: string, follower: FollowSlot): Stream {
    const stream = this.#use(channel);
    const wasFollowed = stream.isFollowed;
    stream.follower = follower;
    if (wasFollowed) return stream;
    this.#bytes -= STREAM_BYTES + stream.nameBytes;
    if (stream.count === 0) this.#recency.remove(stream);
    return stream;
  }

  unfollow(channel: string): void {
    this.#sortIn();
    const stream = this.#streams.get(channel);
    if (stream === undefined || !stream.isFollowed) return;
    stream.follower = undefined;
    this.#bytes += STREAM_BYTES + stream.nameBytes;
    this.#use(channel);
    this.#fitTotal();
  }

  /** Forgets what was not used for `ageMs`, some of it: whether there is more to do. */
  sweep(): boolean {
    this.#sortIn();
    const expiredMs = performance.now() - this.#limits.ageMs;
    for (let left = SWEEP_STREAMS_MAX; left > 0; left--) {
      const stream = this.#recency.oldest;
      if (stream === undefined || stream.usedMs >= expiredMs) return false;
      this.#clear(stream);
    }
    return true;
  }

  /** The channel's stream, which counts as used now. */
  #use(channel: string): Stream {
    this.#sortIn();
    const stream = this.#streams.get(channel) ?? this.#add(channel);
    this.#touch(stream, performance.now());
    this.#cache.put(stream);
    return stream;
  }

  #touch(stream: Stream, nowMs: number): void {
    stream.usedMs = nowMs;
    while (stream.oldestMs < nowMs - this.#limits.ageMs) this.#drop(stream, stream.oldestCount, 'age');
    if (!stream.isFollowed || stream.count > 0) this.#recency.touch(stream);
    // Left at its old place, with a time that is new, it would hide all that is behind it from the sweep.
    else this.#recency.remove(stream);
  }

  #sortIn(): void {
    if (this.#arrivals.isEmpty) return;
    this.#arrivals.takeAll(this);
    // Only now: a stream must not be let go while something of it is still to come.
    this.#fitTotal();
  }

  /** From Arrivals. */
  take(stream: Stream, bytes: Uint8Array, start: number, end: number, count: number, nowMs: number): void {
    const heldBefore = stream.heldBytes;
    stream.push(bytes, start, end, count, nowMs, this.#limits.ageMs * TOGETHER_SHARE);
    this.#publications += count;
    this.#bytes += stream.heldBytes - heldBefore;
  }

  /** From Arrivals. */
  taken(stream: Stream, nowMs: number): void {
    const { bytesMax, countMax } = this.#limits;
    this.#touch(stream, nowMs);
    if (stream.count > countMax) this.#drop(stream, stream.count - countMax, 'count');
    while (stream.exceeds(bytesMax)) this.#drop(stream, 1, 'bytes');
  }

  #add(channel: string): Stream {
    const stream = new Stream(channel, this.#floor);
    this.#streams.set(channel, stream);
    this.#bytes += STREAM_BYTES + stream.nameBytes;
    return stream;
  }

  /** Nothing was published to the stream since the limit of age, so that everything in it is past its age. */
  #clear(stream: Stream): void {
    this.#trimmed.age += stream.count;
    this.#publications -= stream.count;
    this.#bytes -= stream.heldBytes;
    stream.clear();
    this.#letGo(stream);
  }

  #fitTotal(): void {
    while (this.#bytes > this.#limits.totalBytesMax) {
      const stream = this.#recency.oldest;
      if (stream === undefined) return;
      if (stream.count > 0) this.#drop(stream, stream.oldestCount, 'total');
      if (stream.count === 0) this.#letGo(stream);
    }
  }

  #drop(stream: Stream, count: number, reason: TrimReason): void {
    const heldBefore = stream.heldBytes;
    stream.drop(count);
    this.#trimmed[reason] += count;
    this.#publications -= count;
    this.#bytes -= heldBefore - stream.heldBytes;
  }

  /** The stream has no publications. When nobody follows it, only its place in the count stays, in the floor. */
  #letGo(stream: Stream): void {
    this.#recency.remove(stream);
    if (stream.isFollowed) return;
    this.#floor = Math.max(this.#floor, stream.top);
    this.#streams.delete(stream.channel);
    this.#cache.remove(stream);
    this.#bytes -= STREAM_BYTES + stream.nameBytes;
  }
}
