import { NOT_WAITING, type Timed, type TimingWheel } from '../timing-wheel.ts';
import { BufferedChunks } from './buffered-chunks.ts';
import { Pace } from './pace.ts';
import { SharedBuffers } from './shared-buffers.ts';

/** A connection as this policy sees it. */
export interface WritableConnection {
  /** Bytes in memory for the client. */
  readonly bufferedBytes: number;
  /** Bytes ever written to the connection, including buffered ones. */
  readonly writtenBytes: number;
  /** Bytes of these that the operating system has accepted. */
  readonly sentBytes: number;
  /** Closes the connection as slow, with a close frame. */
  tooSlow(): void;
  /** Closes the connection without a close frame, so that its buffer is freed at once. */
  cut(): void;
}

export interface BufferLimits {
  readonly slowBytesPerSecond: number;
  readonly slowMs: number;
  readonly clientBufferBytes: number;
  readonly clientBufferTotalBytes: number;
}

/** Share of the total that is freed when it is full, so that not each write counts it again. */
const FREED_SHARE = 1 / 16;

/** State of a connection with buffered bytes. Checked each tick. */
interface Congestion extends Timed {
  readonly chunks: BufferedChunks;
  readonly pace: Pace;
}

/**
 * Limits the buffers of clients that read too slowly, for each client and for all together. A
 * client is slow when it reads fewer bytes over `slowMs` than its rate, or when too much is
 * buffered behind the chunk that is being written. The length of that chunk does not count.
 *
 * Has state only for connections with buffered bytes. Most connections never have any.
 */
export class Backpressure {
  readonly #limits: BufferLimits;
  readonly #wheel: TimingWheel;
  readonly #slowTicks: number;
  readonly #bytesPerTick: number;
  /** Connections with buffered bytes, the longest congested first. */
  readonly #congested = new Map<WritableConnection, Congestion>();
  readonly #buffers = new SharedBuffers();

  constructor(limits: BufferLimits, wheel: TimingWheel) {
    this.#limits = limits;
    this.#wheel = wheel;
    this.#slowTicks = wheel.ticksOf(limits.slowMs);
    this.#bytesPerTick = (limits.slowBytesPerSecond * limits.slowMs) / 1_000 / this.#slowTicks;
  }

  /** Bytes buffered for all connections, as they count for the total. */
  get bufferedBytes(): number {
    for (const [connection, congestion] of this.#congested) this.#update(connection, congestion);
    return this.#buffers.bytes;
  }

  /** Number of connections with buffered bytes. */
  get congested(): number {
    return this.#congested.size;
  }

  /** Records a write that was buffered. May cut other connections to stay below the total. */
  wrote(connection: WritableConnection, chunk: Uint8Array): 'ok' | 'slow' {
    const { chunks, pace } = this.#congestionOf(connection);
    const { sentBytes } = connection;
    chunks.advance(sentBytes, connection.bufferedBytes - chunk.length);
    chunks.add(chunk);
    if (chunks.count === 1) {
      chunks.moveEnd(connection.writtenBytes);
      pace.start(this.#wheel.now, sentBytes);
    }
    if (chunks.behindBytes > this.#limits.clientBufferBytes) return 'slow';
    if (this.#buffers.bytes > this.#limits.clientBufferTotalBytes) this.#makeRoom();
    return 'ok';
  }

  /** Forgets a connection that is gone. */
  forget(connection: WritableConnection): void {
    const congestion = this.#congested.get(connection);
    if (congestion === undefined) return;
    this.#congested.delete(connection);
    this.#wheel.cancel(congestion);
    congestion.chunks.clear();
  }

  #congestionOf(connection: WritableConnection): Congestion {
    const known = this.#congested.get(connection);
    if (known !== undefined) return known;
    const congestion: Congestion = {
      wheelSlot: NOT_WAITING,
      chunks: new BufferedChunks(this.#buffers, this.#limits.clientBufferBytes),
      pace: new Pace(this.#slowTicks),
      expired: () => this.#tick(connection, congestion),
    };
    this.#congested.set(connection, congestion);
    // One entry each, so that the wheel spreads their cost over the tick.
    this.#wheel.schedule(congestion, 1);
    return congestion;
  }

  #tick(connection: WritableConnection, congestion: Congestion): void {
    if (!this.#update(connection, congestion)) return;
    const { now } = this.#wheel;
    const isSlow =
      congestion.pace.elapsed(now) === this.#slowTicks && this.#debtOf(connection, congestion) > 0;
    congestion.pace.record(now, connection.sentBytes);
    this.#wheel.schedule(congestion, 1);
    if (isSlow) connection.tooSlow();
  }

  /** Returns whether anything is still buffered. */
  #update(connection: WritableConnection, { chunks }: Congestion): boolean {
    const { bufferedBytes } = connection;
    if (bufferedBytes > 0) chunks.advance(connection.sentBytes, bufferedBytes);
    else this.forget(connection);
    return bufferedBytes > 0;
  }

  /** Returns the bytes that a client is behind its rate. Negative where it is ahead. */
  #debtOf(connection: WritableConnection, { pace }: Congestion): number {
    const { now } = this.#wheel;
    return this.#bytesPerTick * pace.elapsed(now) - pace.sent(now, connection.sentBytes);
  }

  /**
   * Cuts the connections that are furthest behind, the longest congested first among equals. A
   * close with a close frame would keep the buffers until its deadline.
   */
  #makeRoom(): void {
    const bytesMax = this.#limits.clientBufferTotalBytes * (1 - FREED_SHARE);
    if (this.bufferedBytes <= bytesMax) return;
    const debts = Array.from(this.#congested, ([connection, congestion]) => ({
      connection,
      debt: this.#debtOf(connection, congestion),
    }));
    for (const { connection } of debts.sort((one, other) => other.debt - one.debt)) {
      if (this.#buffers.bytes <= bytesMax) return;
      this.forget(connection);
      connection.cut();
    }
  }
}
