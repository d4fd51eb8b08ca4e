import { native } from '@groupcast/protocol';
import type { HistoryBoundsOf, SubscribeSlot, TrimReason } from '../engine.ts';
import { Slabs } from './blocks/slabs.ts';
import { areEqual, BoundsOfChannels } from './channel-bounds.ts';
import { ChannelCache } from './channel-cache.ts';
import { ChannelHistory } from './channel-history.ts';
import type { HistoryLimits } from './history-limits.ts';
import { type ChannelView, KeptPositions, PositionOnly } from './kept-positions.ts';
import { type AppendTarget, PendingAppends } from './pending-appends.ts';
import { PublisherShares } from './publisher-shares.ts';

/**
 * Bytes that a channel costs without a subscription, beside its name and its publications: measured
 * too.
 */
export const CHANNEL_BYTES = 576;

/** Part of the total limit that positions may use. */
const POSITIONS_SHARE = 1 / 8;

/** Limit of channels that one event-loop turn forgets, or whose bounds it changes. */
const SWEEP_CHANNELS_MAX = 1_000;

/** Gauges, and counters since the start. */
export interface HistoryCounts {
  /** Channels with memory beyond a position. */
  readonly channels: number;
  readonly publications: number;
  /** Bytes kept, with the overhead of channels and blocks; without that of subscribed channels. */
  readonly bytes: number;
  /** Bytes of the slabs that hold publications, in use or not. */
  readonly slabBytes: number;
  readonly trimmed: Readonly<Record<TrimReason, number>>;
  /** Channels that lost all their publications to the total limit. */
  readonly channelsDropped: number;
  /** Channels of which only the position is kept. */
  readonly positions: number;
  /** Positions forgotten early because of their limit. */
  readonly positionsDropped: number;
}

/**
 * The position of every channel, and its newest publications within the limits.
 *
 * A channel has a ChannelHistory while it is subscribed or has publications. Otherwise it has a
 * kept position if that was returned recently, and no memory at all if not. A channel that is not
 * used for the age of its bounds is forgotten.
 *
 * A channel with publications counts towards the share of the publisher that made it grow last.
 * Above the total limit, the largest share drops the publications of its least recently used
 * channel.
 *
 * Publications of a run are appended later, many at a time, before the next read. Expired ones are
 * dropped when their channel is used, or with the whole channel.
 */
export class History implements AppendTarget {
  readonly #totalBytesMax: number;
  readonly #bounds: BoundsOfChannels;
  // To be read through `#settledChannels`, but for offsets.
  readonly #channels = new Map<string, ChannelHistory>();
  readonly #cache = new ChannelCache();
  readonly #pending = new PendingAppends();
  readonly #positions: KeptPositions;
  readonly #slabs: Slabs;
  readonly #shares = new PublisherShares();
  readonly #trimmed: Record<TrimReason, number> = { count: 0, age: 0, bytes: 0, total: 0 };
  #channelsDropped = 0;
  #publications = 0;
  // Bytes of channels, without kept positions.
  #bytes = 0;
  // Channels whose bounds may have changed: the first `#rebindingLeft`. Later ones have new bounds.
  #rebinding: IterableIterator<ChannelHistory> | undefined;
  #rebindingLeft = 0;

  constructor(historyLimits: HistoryLimits) {
    this.#totalBytesMax = historyLimits.totalBytesMax;
    this.#bounds = new BoundsOfChannels(historyLimits);
    this.#slabs = new Slabs(historyLimits.totalBytesMax);
    this.#positions = new KeptPositions(historyLimits.ageMs, historyLimits.totalBytesMax * POSITIONS_SHARE);
  }

  /** Returns gauges and counters. */
  stats(): HistoryCounts {
    return {
      channels: this.#settledChannels.size,
      publications: this.#publications,
      bytes: this.#bytes + this.#positions.bytes,
      slabBytes: this.#slabs.bytes,
      trimmed: { ...this.#trimmed },
      channelsDropped: this.#channelsDropped,
      positions: this.#positions.size,
      positionsDropped: this.#positions.dropped,
    };
  }

  /**
   * Turns a PUBLISH of the peer `publisher` into the DELIVER of the channel's next offset, in
   * place, and keeps a copy.
   */
  publish(channel: string, frame: Uint8Array, publisher: number, timeMs: number): ChannelHistory {
    const nowMs = performance.now();
    const history = this.#use(channel);
    history.publisher = publisher;
    history.advance(1);
    native.turnIntoDeliver(frame, history.top, timeMs);
    this.append(history, frame, 0, frame.length, 1, nowMs);
    this.appended(history, nowMs);
    this.#fitTotal();
    return history;
  }

  /**
   * Returns the channel of the publication at `start`, if it is cached; undefined does not mean
   * that it does not exist.
   */
  find(bytes: Uint8Array, start: number): ChannelHistory | undefined {
    return this.#cache.find(bytes, native.channelAt(start), native.channelLengthAt(bytes, start));
  }

  /**
   * Keeps copies of the DELIVER frames of the next `count` offsets, between `start` and `end`. The
   * copies may be made later, at the latest by the next read or `sweep`, so the bytes must not
   * change.
   */
  add(
    history: ChannelHistory,
    bytes: Uint8Array,
    start: number,
    end: number,
    count: number,
    nowMs: number,
  ): void {
    history.advance(count);
    this.#pending.add(history, bytes, start, end, count, nowMs);
    if (this.#pending.isFull) this.#flushPending();
  }

  /** Returns the channel's newest offset, and whether it is subscribed by name. */
  peek(channel: string): { readonly top: number; readonly isSubscribed: boolean } {
    // Publications that are to be appended have their offsets already.
    const history = this.#channels.get(channel);
    return history ?? { top: this.#positions.peek(channel), isSubscribed: false };
  }

  /** Returns the channel's position, which the caller returns to a peer, and its publications. */
  read(channel: string): ChannelView {
    const history = this.#settledChannels.get(channel);
    if (history !== undefined) {
      this.#touch(history, performance.now());
      if (this.#update(history)) return history;
    }
    const offset = this.#positions.read(channel, this.#bounds.of(channel).ageMs);
    this.#fitTotal();
    return new PositionOnly(offset);
  }

  /** Keeps the channel at any age until `unsubscribe`. */
  subscribe(channel: string, slot: SubscribeSlot): ChannelHistory {
    const history = this.#use(channel);
    const wasSubscribed = history.isSubscribed;
    history.slot = slot;
    this.#touch(history, performance.now());
    if (!wasSubscribed) this.#addBytes(history, -costOf(history));
    this.#update(history);
    return history;
  }

  unsubscribe(channel: string): void {
    const history = this.#settledChannels.get(channel);
    if (history === undefined || !history.isSubscribed) return;
    history.slot = undefined;
    this.#addBytes(history, costOf(history));
    this.#touch(history, performance.now());
    this.#update(history);
    this.#fitTotal();
  }

  /** Changes the bounds of channels. Those that exist get theirs in `sweep`. */
  bound(boundsOf: HistoryBoundsOf): void {
    this.#bounds.change(boundsOf);
    this.#rebinding = this.#channels.values();
    this.#rebindingLeft = this.#channels.size;
  }

  /**
   * Forgets some of the channels that were not used for the age of their bounds. Returns whether
   * there is more to do.
   */
  sweep(): boolean {
    this.#flushPending();
    this.#positions.sweep();
    // First: a channel must not expire by its old bounds.
    if (this.#rebindSome()) return true;
    const nowMs = performance.now();
    let left = SWEEP_CHANNELS_MAX;
    for (const { recencies } of this.#shares.all) {
      for (const [ageMs, recency] of recencies) {
        for (
          let history = recency.oldest;
          history !== undefined && history.usedMs < nowMs - ageMs;
          history = recency.oldest
        ) {
          if (left === 0) return true;
          left -= 1;
          this.#forget(history);
        }
      }
    }
    return false;
  }

  /** Gives some channels their new bounds. Returns whether there are more. */
  #rebindSome(): boolean {
    if (this.#rebinding === undefined) return false;
    const nowMs = performance.now();
    for (let left = SWEEP_CHANNELS_MAX; left > 0; left--) {
      const { value } = this.#rebinding.next();
      if (value === undefined || this.#rebindingLeft === 0) {
        this.#rebinding = undefined;
        for (const share of this.#shares.all) share.forgetEmptyLists();
        return false;
      }
      this.#rebindingLeft -= 1;
      this.#rebind(value, nowMs);
    }
    return true;
  }

  /** Gives a channel its new bounds. If they differ, that counts as a use of the channel. */
  #rebind(history: ChannelHistory, nowMs: number): void {
    const { bounds } = history;
    history.bounds = this.#bounds.of(history.channel);
    if (areEqual(bounds, history.bounds)) return;
    history.recency?.remove(history);
    history.recency = history.share?.recencyOf(history.bounds.ageMs);
    this.appended(history, nowMs);
  }

  /** Returns the channel's history, creating it if necessary. */
  #use(channel: string): ChannelHistory {
    const history = this.#settledChannels.get(channel) ?? this.#add(channel);
    this.#cache.put(history);
    return history;
  }

  #touch(history: ChannelHistory, nowMs: number): void {
    history.usedMs = nowMs;
    const { ageMs } = history.bounds;
    while (history.oldestMs < nowMs - ageMs) this.#drop(history, history.oldestCount, 'age');
  }

  /** Channels by name, with all pending publications appended. */
  get #settledChannels(): ReadonlyMap<string, ChannelHistory> {
    this.#flushPending();
    return this.#channels;
  }

  #flushPending(): void {
    if (this.#pending.isEmpty) return;
    this.#pending.flushTo(this);
    // Only now: a channel must not be removed while appends to it are pending.
    this.#fitTotal();
  }

  /** Appends publications. Called by PendingAppends. */
  append(
    history: ChannelHistory,
    bytes: Uint8Array,
    start: number,
    end: number,
    count: number,
    nowMs: number,
  ): void {
    const heldBefore = history.heldBytes;
    history.push(bytes, start, end, count, nowMs);
    this.#publications += count;
    if (history.heldBytes === heldBefore) return;
    // Rarely: a new block was added.
    this.#addBytes(history, history.heldBytes - heldBefore);
    this.#moveToShareOf(history, bytes, start);
  }

  /** Applies the limits after the last append. Called by PendingAppends. */
  appended(history: ChannelHistory, nowMs: number): void {
    const { bytesMax, countMax } = history.bounds;
    this.#touch(history, nowMs);
    if (history.count > countMax) this.#drop(history, history.count - countMax, 'count');
    // The newest publication stays at any length: an accepted message can be recovered.
    const countMin = bytesMax > 0 ? 1 : 0;
    while (history.count > countMin && history.exceeds(bytesMax)) this.#drop(history, 1, 'bytes');
    this.#update(history);
  }

  #add(channel: string): ChannelHistory {
    const top = this.#positions.release(channel);
    const history = new ChannelHistory(channel, top, this.#bounds.of(channel), this.#slabs);
    this.#channels.set(channel, history);
    this.#bytes += costOf(history);
    return history;
  }

  /** Adds `bytes`, or subtracts them, to the memory of the channel and its share. */
  #addBytes(history: ChannelHistory, bytes: number): void {
    this.#bytes += bytes;
    if (history.share !== undefined) this.#shares.addBytes(history.share, bytes);
  }

  /** Moves the channel to the share of the publisher of the frame at `start`. */
  #moveToShareOf(history: ChannelHistory, bytes: Uint8Array, start: number): void {
    const share = this.#shares.of(bytes, start, history.publisher);
    if (share === history.share) return;
    const weight = history.heldBytes + (history.isSubscribed ? 0 : costOf(history));
    if (history.share !== undefined) {
      history.recency?.remove(history);
      this.#shares.addBytes(history.share, -weight);
    }
    history.share = share;
    history.recency = share.recencyOf(history.bounds.ageMs);
    this.#shares.addBytes(share, weight);
  }

  #fitTotal(): void {
    while (this.#bytes + this.#positions.bytes > this.#totalBytesMax) {
      const history = this.#shares.largest()?.oldest();
      if (history === undefined) return;
      this.#drop(history, history.oldestCount, 'total');
      if (history.count > 0) continue;
      this.#channelsDropped += 1;
      history.recency?.remove(history);
      if (history.isSubscribed) continue;
      this.#remove(history);
      this.#positions.keepSpare(history.channel, history.top);
    }
  }

  #drop(history: ChannelHistory, count: number, reason: TrimReason): void {
    const heldBefore = history.heldBytes;
    history.drop(count);
    this.#trimmed[reason] += count;
    this.#publications -= count;
    this.#addBytes(history, history.heldBytes - heldBefore);
  }

  /**
   * Updates the place of a channel that was used or lost publications. Returns whether it still
   * exists: without publications and subscription only its position is kept.
   */
  #update(history: ChannelHistory): boolean {
    if (history.count > 0) {
      history.recency?.touch(history);
      return true;
    }
    // At its old place in the list, with a new time, it would hide all later ones from the sweep.
    history.recency?.remove(history);
    if (history.isSubscribed) return true;
    this.#remove(history);
    this.#positions.keep(history.channel, history.top, history.bounds.ageMs);
    return false;
  }

  /**
   * Forgets a channel that was not used for the age of its bounds: all its publications are
   * expired, and its position was not returned since.
   */
  #forget(history: ChannelHistory): void {
    this.#trimmed.age += history.count;
    this.#publications -= history.count;
    this.#addBytes(history, -history.heldBytes);
    history.clear();
    history.recency?.remove(history);
    if (history.isSubscribed) return;
    this.#remove(history);
    this.#positions.forget(history.top);
  }

  #remove(history: ChannelHistory): void {
    this.#channels.delete(history.channel);
    this.#cache.remove(history);
    this.#addBytes(history, -costOf(history));
  }
}

/** Bytes of a channel without a subscription, beside its publications. */
function costOf(history: ChannelHistory): number {
  return CHANNEL_BYTES + history.nameBytes;
}
