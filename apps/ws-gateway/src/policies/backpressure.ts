import { NOT_WAITING, type Timed, type TimingWheel } from '../timing-wheel.ts';

/** A connection as this policy sees it. */
export interface Outlet {
  /** Bytes that wait for the client to read. */
  readonly queuedBytes: number;
  /** Closes the connection as slow, with a close frame. */
  tooSlow(): void;
  /** Cuts the connection, so that what waits for it is freed at once. */
  cut(): void;
}

export interface QueueLimits {
  readonly queueBytesMax: number;
  readonly queueBytesSoft: number;
  readonly queueSoftMs: number;
  readonly queueBytesTotalMax: number;
}

interface Congestion {
  /** When it was last looked at. */
  queuedBytes: number;
  /** Since which tick more than the soft limit has waited. */
  softSince: number | undefined;
}

/**
 * Bounds what waits for clients that read too slowly: for each of them and for all together. Only connections for which
 * something waits are known here; most never are.
 */
export class Backpressure implements Timed {
  wheelSlot: number = NOT_WAITING;
  readonly #limits: QueueLimits;
  readonly #wheel: TimingWheel;
  readonly #softTicks: number;
  readonly #congested = new Map<Outlet, Congestion>();
  /** Never less than what really waits: what clients read shows only at the next look. */
  #totalBytes = 0;

  constructor(limits: QueueLimits, wheel: TimingWheel) {
    this.#limits = limits;
    this.#wheel = wheel;
    this.#softTicks = wheel.ticksOf(limits.queueSoftMs);
  }

  /** Bytes that wait for all connections. */
  get queuedBytes(): number {
    let bytes = 0;
    for (const outlet of this.#congested.keys()) bytes += outlet.queuedBytes;
    return bytes;
  }

  /** How many connections do not keep up. */
  get congested(): number {
    return this.#congested.size;
  }

  /** Call it after a write that the network did not take at once. Others may be cut to stay below the total. */
  wrote(outlet: Outlet): 'ok' | 'slow' {
    const { queuedBytes } = outlet;
    let congestion = this.#congested.get(outlet);
    if (congestion === undefined) {
      congestion = { queuedBytes: 0, softSince: undefined };
      this.#congested.set(outlet, congestion);
      if (this.wheelSlot === NOT_WAITING) this.#wheel.schedule(this, 1);
    }
    this.#observe(congestion, queuedBytes);
    if (queuedBytes > this.#limits.queueBytesMax) return 'slow';
    if (this.#totalBytes > this.#limits.queueBytesTotalMax) this.#cutLargest();
    return 'ok';
  }

  /** The connection is gone. */
  forget(outlet: Outlet): void {
    const congestion = this.#congested.get(outlet);
    if (congestion === undefined) return;
    this.#totalBytes -= congestion.queuedBytes;
    this.#congested.delete(outlet);
  }

  /** Once per tick while there is congestion. */
  expired(): void {
    for (const [outlet, congestion] of this.#congested) {
      const { queuedBytes } = outlet;
      if (queuedBytes === 0) {
        this.forget(outlet);
        continue;
      }
      this.#observe(congestion, queuedBytes);
      const { softSince } = congestion;
      if (softSince !== undefined && this.#wheel.now - softSince >= this.#softTicks) outlet.tooSlow();
    }
    if (this.#congested.size > 0) this.#wheel.schedule(this, 1);
  }

  #observe(congestion: Congestion, queuedBytes: number): void {
    this.#totalBytes += queuedBytes - congestion.queuedBytes;
    congestion.queuedBytes = queuedBytes;
    if (queuedBytes <= this.#limits.queueBytesSoft) congestion.softSince = undefined;
    else congestion.softSince ??= this.#wheel.now;
  }

  // A polite close would keep each queue until its deadline, and free nothing when it is needed.
  #cutLargest(): void {
    for (const [outlet, congestion] of this.#congested) this.#observe(congestion, outlet.queuedBytes);
    const largestFirst = [...this.#congested].sort(
      ([, one], [, other]) => other.queuedBytes - one.queuedBytes,
    );
    for (const [outlet] of largestFirst) {
      if (this.#totalBytes <= this.#limits.queueBytesTotalMax) return;
      this.forget(outlet);
      outlet.cut();
    }
  }
}
