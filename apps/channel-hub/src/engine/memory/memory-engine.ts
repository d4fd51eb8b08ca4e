import { randomBytes } from 'node:crypto';
import { frameLength, limits, native, type Position, ProtocolError } from '@groupcast/protocol';
import { PrefixMap } from '../../routing/prefix-map.ts';
import {
  type Engine,
  type EngineSink,
  type EngineStats,
  type HistorySlot,
  NO_POSITION,
  type PublishSlot,
  type SubscribeSlot,
} from '../engine.ts';
import type { ChannelHistory } from './channel-history.ts';
import { History } from './history.ts';
import { completeHistoryLimits, type HistoryLimits } from './history-limits.ts';
import { MessageIds, messageKey } from './message-ids.ts';
import type { ChannelView } from './standing.ts';

const EPOCH_BYTES = 16;

/** How often what is past its age is looked for, in milliseconds; more often where the age is shorter. */
const SWEEP_MS = 1_000;

/** Keeps everything in this process, and answers at once. With the process its epoch ends. */
export class MemoryEngine implements Engine {
  readonly #epoch = randomBytes(EPOCH_BYTES).toString('base64url');
  readonly #limits: HistoryLimits;
  readonly #history: History;
  readonly #ids: MessageIds;
  readonly #prefixes = new PrefixMap<true>();
  readonly #reads: Record<native.HistoryVerdict, number> = { recovered: 0, epoch_changed: 0, trimmed: 0 };
  #duplicates = 0;
  #sink: EngineSink | undefined;
  #ticker: NodeJS.Timeout | undefined;
  #sweeping: NodeJS.Immediate | undefined;

  constructor(historyLimits: Partial<HistoryLimits> = {}) {
    this.#limits = completeHistoryLimits(historyLimits);
    this.#history = new History(this.#limits);
    this.#ids = new MessageIds(this.#limits.dedupeMs, this.#limits.dedupeIdsMax);
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
    const key = publication.messageId === '' ? undefined : messageKey(publication);
    const first = key === undefined ? undefined : this.#ids.offsetOf(publication.sender, key);
    if (first !== undefined) {
      this.#duplicates += 1;
      if (request !== 0) slot.published(request, { epoch: this.#epoch, offset: first });
      return;
    }
    const stream = this.#history.publish(publication.channel, frame, slot.publisher);
    const offset = stream.top;
    if (key !== undefined) this.#ids.add(publication.sender, key, offset);
    if (request !== 0) slot.published(request, { epoch: this.#epoch, offset });
    if (stream.isSubscribed || this.#prefixes.matching(publication.channel).length > 0) {
      this.#sink.deliver(publication.channel, offset, frame);
    }
  }

  publishRun(bytes: Uint8Array, start: number, end: number, slot: PublishSlot): void {
    const nowMs = performance.now();
    // Who follows a prefix may get any of them.
    const isPlain = this.#sink !== undefined && this.#prefixes.size === 0;
    for (let at = start; at < end; ) {
      const stream = isPlain ? this.#history.find(bytes, at) : undefined;
      if (stream === undefined) {
        const frame = bytes.subarray(at, at + frameLength(bytes, at));
        const publication = native.decodePublication(frame);
        this.publish(publication, frame, slot, publication.number);
        at += frame.length;
      } else at = this.#publishTo(stream, bytes, at, end, slot, nowMs);
    }
  }

  /** Publishes the frames from `start` on that are all the stream's. Answers where they end. */
  #publishTo(
    stream: ChannelHistory,
    bytes: Uint8Array,
    start: number,
    end: number,
    slot: PublishSlot,
    nowMs: number,
  ): number {
    const { top } = stream;
    let count = 0;
    let at = start;
    do {
      count += 1;
      const request = native.numberAt(bytes, at);
      native.turnIntoDeliver(bytes, top + count, at);
      if (request !== 0) slot.published(request, { epoch: this.#epoch, offset: top + count });
      at += frameLength(bytes, at);
    } while (at < end && stream.isNamed(bytes, native.channelAt(at), native.channelLengthAt(bytes, at)));
    stream.publisher = slot.publisher;
    this.#history.add(stream, bytes, start, at, count, nowMs);
    stream.slot?.deliverRun(top + count, bytes, start, at, count);
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

  history(channel: string, since: Position, slot: HistorySlot, request: number): void {
    if (this.#sink === undefined) {
      slot.historyRejected(request, shuttingDown());
      return;
    }
    const standing = this.#history.read(channel);
    const verdict = this.#verdictOn(standing, since);
    this.#reads[verdict] += 1;
    const frames =
      verdict === 'recovered' ? standing.framesAfter(since.offset, limits.HISTORY_PAGE_BYTES_MAX) : [];
    slot.historyPage(request, { verdict, position: this.#positionOf(standing), frames });
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
      history: { ...history, reads, messageIds, messageIdsDropped, duplicates },
    };
  }

  #positionOf({ top }: ChannelView): Position {
    return { epoch: this.#epoch, offset: top };
  }

  #verdictOn({ top, bottom }: ChannelView, since: Position): native.HistoryVerdict {
    // An offset that was never given belongs to another history, whatever its epoch says.
    if (since.epoch !== this.#epoch || since.offset > top) return 'epoch_changed';
    return since.offset < bottom ? 'trimmed' : 'recovered';
  }

  #tick(): void {
    this.#ids.sweep();
    clearImmediate(this.#sweeping);
    this.#sweep();
  }

  /** In steps, so that a million channels that end together do not hold the event loop. */
  #sweep(): void {
    const hasMore = this.#history.sweep();
    this.#sweeping = hasMore ? setImmediate(() => this.#sweep()) : undefined;
  }
}

function shuttingDown(): ProtocolError {
  return new ProtocolError('hub_unavailable', 'The hub is shutting down.');
}
