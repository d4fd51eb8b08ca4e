import { native } from '@groupcast/protocol';
import type { HistoryLimits } from './history-limits.ts';
import { Recency } from './recency.ts';
import { ShardedMap } from './sharded-map.ts';
import { Stream } from './stream.ts';

/** The bound for which a publication was given up. */
export type TrimReason = 'count' | 'age' | 'bytes' | 'total';

/** What one publication costs beside its frame, in bytes: measured, history-heap.test.ts holds it to that. */
export const PUBLICATION_BYTES = 448;

/** What a channel that nobody follows costs beside its name and its publications, in bytes: measured too. */
export const STREAM_BYTES = 576;

/** Streams that one turn of the event loop forgets. */
const SWEEP_STREAMS_MAX = 1_000;

/**
 * Where every channel stands, and its newest publications within the limits.
 *
 * A channel has a stream from its first use on, and keeps it while it is followed and until it was not used for `ageMs`. What was
 * forgotten, all together, leaves one number, the floor: no offset of a forgotten channel is above it, and every new stream
 * begins there. So an offset is never given twice, and offsets of a channel only rise.
 *
 * Publications past their age leave when their channel is used, or with all the others when it was not used for that long.
 */
export class History {
  readonly #limits: HistoryLimits;
  readonly #streams = new ShardedMap<Stream>();
  // All streams that have something to lose: publications, or themselves when nobody follows them.
  readonly #recency = new Recency();
  readonly #trimmed: Record<TrimReason, number> = { count: 0, age: 0, bytes: 0, total: 0 };
  #floor = 0;
  #publications = 0;
  #bytes = 0;

  constructor(historyLimits: HistoryLimits) {
    this.#limits = historyLimits;
  }

  /** Channels that something is kept for. */
  get channels(): number {
    return this.#streams.size;
  }

  get publications(): number {
    return this.#publications;
  }

  /** What is kept, in bytes, with what it costs beside the frames; not what followed channels cost without publications. */
  get bytes(): number {
    return this.#bytes;
  }

  get trimmed(): Readonly<Record<TrimReason, number>> {
    return { ...this.#trimmed };
  }

  /** Turns a PUBLISH into the DELIVER of the channel's next offset, in place, and keeps a copy. */
  publish(channel: string, frame: Uint8Array): Stream {
    const { bytesMax, countMax } = this.#limits;
    const stream = this.#use(channel);
    native.turnIntoDeliver(frame, stream.top + 1);
    stream.push(copyOf(frame), stream.usedMs);
    this.#publications += 1;
    this.#bytes += frame.length + PUBLICATION_BYTES;
    this.#recency.touch(stream);
    while (stream.count > countMax) this.#drop(stream, 'count');
    while (stream.bytes > bytesMax) this.#drop(stream, 'bytes');
    this.#fitTotal();
    return stream;
  }

  /** The channel as it is, for one answer. */
  read(channel: string): Stream {
    const stream = this.#use(channel);
    this.#fitTotal();
    return stream;
  }

  /** Keeps the channel, whatever its age, until `unfollow`. */
  follow(channel: string): Stream {
    const stream = this.#use(channel);
    if (stream.isFollowed) return stream;
    stream.isFollowed = true;
    this.#bytes -= STREAM_BYTES + stream.nameBytes;
    if (stream.count === 0) this.#recency.remove(stream);
    return stream;
  }

  unfollow(channel: string): void {
    const stream = this.#streams.get(channel);
    if (stream === undefined || !stream.isFollowed) return;
    stream.isFollowed = false;
    this.#bytes += STREAM_BYTES + stream.nameBytes;
    this.#use(channel);
    this.#fitTotal();
  }

  /** Forgets what was not used for `ageMs`, some of it: whether there is more to do. */
  sweep(): boolean {
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
    const stream = this.#streams.get(channel) ?? this.#add(channel);
    const nowMs = performance.now();
    stream.usedMs = nowMs;
    while (stream.oldestMs < nowMs - this.#limits.ageMs) this.#drop(stream, 'age');
    if (!stream.isFollowed || stream.count > 0) this.#recency.touch(stream);
    // Left at its old place, with a time that is new, it would hide all that is behind it from the sweep.
    else this.#recency.remove(stream);
    return stream;
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
    this.#bytes -= stream.bytes + stream.count * PUBLICATION_BYTES;
    stream.clear();
    this.#letGo(stream);
  }

  #fitTotal(): void {
    while (this.#bytes > this.#limits.totalBytesMax) {
      const stream = this.#recency.oldest;
      if (stream === undefined) return;
      if (stream.count > 0) this.#drop(stream, 'total');
      if (stream.count === 0) this.#letGo(stream);
    }
  }

  #drop(stream: Stream, reason: TrimReason): void {
    const before = stream.bytes;
    stream.dropOldest();
    this.#trimmed[reason] += 1;
    this.#publications -= 1;
    this.#bytes -= before - stream.bytes + PUBLICATION_BYTES;
  }

  /** The stream has no publications. When nobody follows it, only its place in the count stays, in the floor. */
  #letGo(stream: Stream): void {
    this.#recency.remove(stream);
    if (stream.isFollowed) return;
    this.#floor = Math.max(this.#floor, stream.top);
    this.#streams.delete(stream.channel);
    this.#bytes -= STREAM_BYTES + stream.nameBytes;
  }
}

/** The frame is a slice of all that was read with it, and would keep that too. A buffer from Node's pool would keep its pool. */
function copyOf(frame: Uint8Array): Uint8Array {
  const copy = Buffer.allocUnsafeSlow(frame.length);
  copy.set(frame);
  return copy;
}
