import { randomBytes } from 'node:crypto';
import { frameLength, limits, native, type Position, ProtocolError } from '@groupcast/protocol';
import { MessageIds, messageKey } from '../../message-ids/message-ids.ts';
import { PrefixMap } from '../../routing/prefix-map.ts';
import {
  type Engine,
  type EngineSink,
  type EngineStats,
  type HistoryBoundsOf,
  type HistoryPage,
  type HistoryQuery,
  type HistorySlot,
  NO_POSITION,
  type PublishSlot,
  type SubscribeSlot,
} from '../engine.ts';
import type { ChannelHistory } from './channel-history.ts';
import { History } from './history.ts';
import { completeHistoryLimits, type HistoryLimits } from './history-limits.ts';
import type { ChannelView } from './kept-positions.ts';
import { completeKeyedLimits, type KeyedLimits } from './keyed-limits.ts';
import { KeyedValues } from './keyed-values.ts';

const EPOCH_BYTES = 16;

/** Interval of the search for expired history, in milliseconds; shorter if the age is. */
const SWEEP_MS = 1_000;

type PagePart = Pick<HistoryPage, 'verdict' | 'frames' | 'more'>;

/** Options of a memory engine beside the limits of its history. */
export interface MemoryEngineOptions {
  /** Limits of the values of keyed channels. */
  readonly keyed?: Partial<KeyedLimits>;
  /** Returns the time that publications get, in milliseconds since 1970. Default: `Date.now`. */
  readonly now?: () => number;
}

/**
 * Keeps all state in this process, and answers within the call. Its epoch ends with the process.
 */
export class MemoryEngine implements Engine {
  readonly #epoch = randomBytes(EPOCH_BYTES).toString('base64url');
  readonly #limits: HistoryLimits;
  readonly #history: History;
  readonly #ids: MessageIds;
  readonly #values: KeyedValues;
  readonly #prefixes = new PrefixMap<true>();
  readonly #reads: Record<native.HistoryVerdict, number> = {
    recovered: 0,
    epoch_changed: 0,
    trimmed: 0,
    snapshot: 0,
  };
  readonly #now: () => number;
  #duplicates = 0;
  // Time of the last publication, in milliseconds since 1970.
  #timeMs = 0;
  #sink: EngineSink | undefined;
  #ticker: NodeJS.Timeout | undefined;
  #sweeping: NodeJS.Immediate | undefined;

  constructor(historyLimits: Partial<HistoryLimits> = {}, more: MemoryEngineOptions = {}) {
    this.#now = more.now ?? Date.now;
    this.#limits = completeHistoryLimits(historyLimits);
    this.#history = new History(this.#limits);
    this.#ids = new MessageIds(this.#limits.dedupeMs, this.#limits.dedupeIdsMax);
    this.#values = new KeyedValues(completeKeyedLimits(more.keyed ?? {}));
  }

  start(sink: EngineSink): Promise<void> {
    const { ageMs, dedupeMs } = this.#limits;
    this.#sink = sink;
    this.#ticker = setInterval(() => this.#tick(), Math.min(SWEEP_MS, ageMs, dedupeMs));
    return Promise.resolve();
  }

  publish(publication: native.Publication, frame: Uint8Array, slot: PublishSlot, request: number): void {
    if (this.#sink === undefined) {
      slot.publishRejected(request, shuttingDown());
      return;
    }
    if (publication.ephemeral) {
      this.#publishEphemeral(publication.channel, frame, slot, request);
      return;
    }
    const key = publication.messageId === '' ? undefined : messageKey(publication);
    const first = key === undefined ? undefined : this.#ids.offsetOf(publication.sender, key);
    if (first !== undefined) {
      this.#duplicates += 1;
      if (request !== 0) slot.published(request, { epoch: this.#epoch, offset: first });
      return;
    }
    const { keyed } = publication;
    const fault = keyed && this.#values.faultOf(publication, keyed, frame.length, performance.now());
    if (fault !== undefined) {
      slot.publishRejected(request, fault);
      return;
    }
    const history = this.#history.publish(publication.channel, frame, slot.publisher, this.#time());
    const offset = history.top;
    if (keyed !== undefined) this.#values.apply(publication, keyed, frame, performance.now());
    if (key !== undefined) this.#ids.add(publication.sender, key, offset);
    if (request !== 0) slot.published(request, { epoch: this.#epoch, offset });
    if (history.isSubscribed || this.#prefixes.matching(publication.channel).length > 0) {
      this.#sink.deliver(publication.channel, offset, frame);
    }
  }

  /** Delivers, and keeps nothing: neither the publication nor the position in the answer. */
  #publishEphemeral(channel: string, frame: Uint8Array, slot: PublishSlot, request: number): void {
    const { top, isSubscribed } = this.#history.peek(channel);
    if (request !== 0) slot.published(request, { epoch: this.#epoch, offset: top });
    if (!isSubscribed && this.#prefixes.matching(channel).length === 0) return;
    native.turnIntoDeliver(frame, top, this.#time());
    this.#sink?.deliverEphemeral(channel, frame);
  }

  publishRun(bytes: Uint8Array, start: number, end: number, slot: PublishSlot): void {
    const nowMs = performance.now();
    // Reads the clock once for the run.
    this.#time();
    // A subscribed prefix may match any channel.
    const isPlain = this.#sink !== undefined && this.#prefixes.size === 0;
    for (let at = start; at < end; ) {
      const history = isPlain ? this.#history.find(bytes, at) : undefined;
      if (history === undefined) {
        const frame = bytes.subarray(at, at + frameLength(bytes, at));
        const publication = native.decodePublication(frame);
        this.publish(publication, frame, slot, publication.number);
        at += frame.length;
      } else at = this.#publishTo(history, bytes, at, end, slot, nowMs);
    }
  }

  /** Publishes the channel's frames from `start` on. Returns where they end. */
  #publishTo(
    history: ChannelHistory,
    bytes: Uint8Array,
    start: number,
    end: number,
    slot: PublishSlot,
    nowMs: number,
  ): number {
    const { top } = history;
    // Not the time at which the run began: a frame of the channel within it may have a later one.
    const timeMs = this.#timeMs;
    let count = 0;
    let at = start;
    do {
      count += 1;
      const request = native.numberAt(bytes, at);
      native.turnIntoDeliver(bytes, top + count, timeMs, at);
      if (request !== 0) slot.published(request, { epoch: this.#epoch, offset: top + count });
      at += frameLength(bytes, at);
    } while (at < end && history.isNamed(bytes, native.channelAt(at), native.channelLengthAt(bytes, at)));
    history.publisher = slot.publisher;
    this.#history.add(history, bytes, start, at, count, nowMs);
    history.slot?.deliverRun(top + count, bytes, start, at, count);
    return at;
  }

  subscribe(subject: native.Subject, slot: SubscribeSlot): void {
    if (subject.prefix) {
      this.#prefixes.set(subject.name, true);
      slot.subscribed(NO_POSITION);
      return;
    }
    slot.subscribed(this.#positionOf(this.#history.subscribe(subject.name, slot)));
  }

  unsubscribe(subject: native.Subject): void {
    if (subject.prefix) this.#prefixes.delete(subject.name);
    else this.#history.unsubscribe(subject.name);
  }

  boundHistory(boundsOf: HistoryBoundsOf): void {
    this.#history.bound(boundsOf);
    if (this.#sink !== undefined) this.#tick();
  }

  history(query: HistoryQuery, slot: HistorySlot, request: number): void {
    if (this.#sink === undefined) {
      slot.historyRejected(request, shuttingDown());
      return;
    }
    const view = this.#history.read(query.channel);
    const position = this.#positionOf(view);
    const epochIs = native.compareEpochs(position.epoch, query.since.epoch);
    const page = this.#page(query, view);
    this.#reads[page.verdict] += 1;
    slot.historyPage(request, { ...page, position, epochIs });
  }

  #page(query: HistoryQuery, view: ChannelView): PagePart {
    const { channel, since, last = 0, snapshot = false, afterKey = '' } = query;
    const verdict = last > 0 ? 'recovered' : this.#verdictOn(view, since);
    const nowMs = performance.now();
    // What continues a snapshot is a snapshot, also if history has the position by now.
    if (snapshot && (verdict !== 'recovered' || afterKey !== ''))
      return { verdict: 'snapshot', ...this.#values.page(channel, afterKey, nowMs) };
    if (verdict !== 'recovered') return { verdict, frames: [], more: false };
    const from = last > 0 ? Math.max(view.bottom, view.top - last) : since.offset;
    const kept = view.framesAfter(from, limits.HISTORY_PAGE_BYTES_MAX);
    const more = from + kept.length < view.top;
    return { verdict, frames: this.#values.withRemainingLives(kept, nowMs), more };
  }

  close(): Promise<void> {
    this.#sink = undefined;
    clearInterval(this.#ticker);
    clearImmediate(this.#sweeping);
    return Promise.resolve();
  }

  stats(): EngineStats {
    const { channels, ...history } = this.#history.stats();
    const { size: messageIds, dropped: messageIdsDropped } = this.#ids;
    const reads = { ...this.#reads };
    const duplicates = this.#duplicates;
    return {
      channels,
      prefixes: this.#prefixes.size,
      keyed: this.#values.stats(),
      history: { ...history, reads, messageIds, messageIdsDropped, duplicates },
    };
  }

  #positionOf({ top }: ChannelView): Position {
    return { epoch: this.#epoch, offset: top };
  }

  #verdictOn({ top, bottom }: ChannelView, since: Position): native.HistoryVerdict {
    // An offset that was never assigned belongs to another history, even with the same epoch.
    const epochIs = native.compareEpochs(this.#epoch, since.epoch);
    if (epochIs === 'changed' || since.offset > top) return 'epoch_changed';
    return since.offset < bottom ? 'trimmed' : 'recovered';
  }

  /** Returns the time of a publication. It does not go back, also if the clock of the host does. */
  #time(): number {
    this.#timeMs = Math.max(this.#timeMs, this.#now());
    return this.#timeMs;
  }

  #tick(): void {
    this.#ids.sweep();
    clearImmediate(this.#sweeping);
    this.#sweep();
  }

  /** In steps, so that a million expired channels do not block the event loop. */
  #sweep(): void {
    const hasMoreValues = this.#values.sweep(performance.now());
    const hasMore = this.#history.sweep() || hasMoreValues;
    this.#sweeping = hasMore ? setImmediate(() => this.#sweep()) : undefined;
  }
}

function shuttingDown(): ProtocolError {
  return new ProtocolError('hub_unavailable', 'The hub is shutting down.');
}
