import { NOT_WAITING, type Timed, type TimingWheel } from '../timing-wheel.ts';
import { Pace } from './pace.ts';
import { SharedBuffers } from './shared-buffers.ts';
import { WaitingChunks } from './waiting-chunks.ts';

/** A connection as this policy sees it. */
export interface WritableConnection {
  /** Bytes that wait for the client, and whose memory is held. */
  readonly bufferedBytes: number;
  /** Bytes that were ever written to the connection, those that wait among them. */
  readonly writtenBytes: number;
  /** Bytes of these that the network has taken. */
  readonly sentBytes: number;
  /** Closes the connection as slow, with a close frame. */
  tooSlow(): void;
  /** Cuts the connection, so that what waits for it is freed at once. */
  cut(): void;
}

export interface BufferLimits {
  readonly slowBytesPerSecond: number;
  readonly slowMs: number;
  readonly clientBufferBytes: number;
  readonly clientBufferTotalBytes: number;
}

/** Part of the total that is made free when it is full, so that it is not counted again with each write. */
const FREED_SHARE = 1 / 16;

/** What is known of a connection while something waits for it. Looked at once per tick. */
interface Congestion extends Timed {
  readonly waiting: WaitingChunks;
  readonly pace: Pace;
}

/**
 * Bounds what waits for clients that read too slowly, for each of them and for all together. A client is slow
 * when, while something waits for it, it takes fewer bytes than it should over a time, or when too much waits
 * behind the chunk that is being written to it. How long that chunk is does not matter.
 *
 * Only connections for which something waits are known here; most never are.
 */
export class Backpressure {
  readonly #limits: BufferLimits;
  readonly #wheel: TimingWheel;
  readonly #slowTicks: number;
  readonly #bytesPerTick: number;
  /** Those that have waited longest come first. */
  readonly #congested = new Map<WritableConnection, Congestion>();
  readonly #buffers = new SharedBuffers();

  constructor(limits: BufferLimits, wheel: TimingWheel) {
    this.#limits = limits;
    this.#wheel = wheel;
    this.#slowTicks = wheel.ticksOf(limits.slowMs);
    this.#bytesPerTick = (limits.slowBytesPerSecond * limits.slowMs) / 1_000 / this.#slowTicks;
  }

  /** Bytes that wait for all connections, as they count for the total. */
  get bufferedBytes(): number {
    for (const [outlet, congestion] of this.#congested) this.#look(outlet, congestion);
    return this.#buffers.bytes;
  }

  /** Number of connections that do not keep up. */
  get congested(): number {
    return this.#congested.size;
  }

  /** Call it after a write that the network did not take at once. Others may be cut to stay below the total. */
  wrote(outlet: WritableConnection, chunk: Uint8Array): 'ok' | 'slow' {
    const { waiting, pace } = this.#congestionOf(outlet);
    const { sentBytes } = outlet;
    waiting.advance(sentBytes, outlet.bufferedBytes - chunk.length);
    waiting.add(chunk);
    if (waiting.count === 1) {
      // Nothing waited before.
      waiting.moveEnd(outlet.writtenBytes);
      pace.begin(this.#wheel.now, sentBytes);
    }
    if (waiting.behindBytes > this.#limits.clientBufferBytes) return 'slow';
    if (this.#buffers.bytes > this.#limits.clientBufferTotalBytes) this.#makeRoom();
    return 'ok';
  }

  /** The connection is gone. */
  forget(outlet: WritableConnection): void {
    const congestion = this.#congested.get(outlet);
    if (congestion === undefined) return;
    this.#congested.delete(outlet);
    this.#wheel.cancel(congestion);
    congestion.waiting.clear();
  }

  #congestionOf(outlet: WritableConnection): Congestion {
    const known = this.#congested.get(outlet);
    if (known !== undefined) return known;
    const congestion: Congestion = {
      wheelSlot: NOT_WAITING,
      waiting: new WaitingChunks(this.#buffers, this.#limits.clientBufferBytes),
      pace: new Pace(this.#slowTicks),
      expired: () => this.#tick(outlet, congestion),
    };
    this.#congested.set(outlet, congestion);
    // Each by itself: the wheel spreads what many of them cost over the tick.
    this.#wheel.schedule(congestion, 1);
    return congestion;
  }

  #tick(outlet: WritableConnection, congestion: Congestion): void {
    if (!this.#look(outlet, congestion)) return;
    const { now } = this.#wheel;
    const isSlow = congestion.pace.elapsed(now) === this.#slowTicks && this.#debtOf(outlet, congestion) > 0;
    congestion.pace.record(now, outlet.sentBytes);
    this.#wheel.schedule(congestion, 1);
    if (isSlow) outlet.tooSlow();
  }

  /** Says whether anything still waits for a client. */
  #look(outlet: WritableConnection, { waiting }: Congestion): boolean {
    const { bufferedBytes } = outlet;
    if (bufferedBytes > 0) waiting.advance(outlet.sentBytes, bufferedBytes);
    else this.forget(outlet);
    return bufferedBytes > 0;
  }

  /** Bytes that a client should have taken by now and has not; below 0 where it took more. */
  #debtOf(outlet: WritableConnection, { pace }: Congestion): number {
    const { now } = this.#wheel;
    return this.#bytesPerTick * pace.elapsed(now) - pace.taken(now, outlet.sentBytes);
  }

  /**
   * Cuts those that are furthest behind, and of several that are equally far those that have waited longest. A
   * polite close would keep what waits until its deadline, and free nothing when it is needed.
   */
  #makeRoom(): void {
    const bytesMax = this.#limits.clientBufferTotalBytes * (1 - FREED_SHARE);
    if (this.bufferedBytes <= bytesMax) return;
    const debts = Array.from(this.#congested, ([outlet, congestion]) => ({
      outlet,
      debt: this.#debtOf(outlet, congestion),
    }));
    for (const { outlet } of debts.sort((one, other) => other.debt - one.debt)) {
      if (this.#buffers.bytes <= bytesMax) return;
      this.forget(outlet);
      outlet.cut();
    }
  }
}
