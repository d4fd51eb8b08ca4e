import { randomBytes } from 'node:crypto';
import type {
  Engine,
  EngineSink,
  EngineStats,
  HistoryQuery,
  HistorySlot,
  PublishSlot,
  SubscribeSlot,
} from '@groupcast/hub';
import { decodeText, frameLength, native, type Position } from '@groupcast/protocol';

/** Publications of one channel, as in the memory engine. */
const COUNT_MAX = 1_000;

/** The newest publications of one channel, each a copy of its own. */
class Ring {
  slot: SubscribeSlot | undefined;
  top = 0;
  readonly #frames: Uint8Array[] = [];

  push(frame: Uint8Array): void {
    this.#frames[this.top % COUNT_MAX] = new Uint8Array(frame);
    this.top += 1;
  }

  after(offset: number): Uint8Array[] {
    const count = Math.max(0, Math.min(this.top - offset, this.#frames.length));
    const first = this.top - count;
    return Array.from({ length: count }, (_, index) => this.#frames[(first + index) % COUNT_MAX]).filter(
      (frame) => frame !== undefined,
    );
  }
}

/**
 * An engine with the simplest possible history: a Map of rings. It has no limits of bytes or age,
 * no message ids and no prefixes. It shows what the history of the memory engine costs or saves.
 */
export class PlainRingEngine implements Engine {
  readonly #epoch = randomBytes(16).toString('base64url');
  readonly #rings = new Map<string, Ring>();
  #sink: EngineSink | undefined;

  start(sink: EngineSink): Promise<void> {
    this.#sink = sink;
    return Promise.resolve();
  }

  publish({ channel }: native.Publication, frame: Uint8Array, slot: PublishSlot, request: number): void {
    const ring = this.#ringOf(channel);
    native.turnIntoDeliver(frame, ring.top + 1, Date.now());
    ring.push(frame);
    if (request !== 0) slot.published(request, this.#positionOf(ring));
    if (ring.slot !== undefined) this.#sink?.deliver(channel, ring.top, frame);
  }

  boundHistory(): void {}

  publishRun(bytes: Uint8Array, start: number, end: number, slot: PublishSlot): void {
    for (let at = start; at < end; ) {
      const next = at + frameLength(bytes, at);
      const nameAt = native.channelAt(at);
      const name = bytes.subarray(nameAt, nameAt + native.channelLengthAt(bytes, at));
      const ring = this.#ringOf(decodeText(name) ?? '');
      const request = native.numberAt(bytes, at);
      native.turnIntoDeliver(bytes, ring.top + 1, Date.now(), at);
      ring.push(bytes.subarray(at, next));
      if (request !== 0) slot.published(request, this.#positionOf(ring));
      ring.slot?.deliverRun(ring.top, bytes, at, next, 1);
      at = next;
    }
  }

  subscribe({ name }: native.Subject, slot: SubscribeSlot): void {
    const ring = this.#ringOf(name);
    ring.slot = slot;
    slot.subscribed(this.#positionOf(ring));
  }

  unsubscribe({ name }: native.Subject): void {
    this.#ringOf(name).slot = undefined;
  }

  history({ channel, since }: HistoryQuery, slot: HistorySlot, request: number): void {
    const ring = this.#ringOf(channel);
    const frames = ring.after(since.offset);
    const found = { verdict: 'recovered', epochIs: 'same', more: false, frames } as const;
    slot.historyPage(request, { ...found, position: this.#positionOf(ring) });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  stats(): EngineStats {
    const reads = { recovered: 0, epoch_changed: 0, trimmed: 0, snapshot: 0 };
    const trimmed = { count: 0, age: 0, bytes: 0, total: 0 };
    const ids = { messageIds: 0, messageIdsDropped: 0, duplicates: 0 };
    const positions = { slabBytes: 0, channelsDropped: 0, positions: 0, positionsDropped: 0 };
    const history = { publications: 0, bytes: 0, trimmed, ...positions, reads, ...ids };
    const keyed = { keys: 0, bytes: 0, rejected: 0, expired: 0 };
    return { channels: this.#rings.size, prefixes: 0, history, keyed };
  }

  #ringOf(channel: string): Ring {
    let ring = this.#rings.get(channel);
    if (ring === undefined) {
      ring = new Ring();
      this.#rings.set(channel, ring);
    }
    return ring;
  }

  #positionOf({ top }: Ring): Position {
    return { epoch: this.#epoch, offset: top };
  }
}
