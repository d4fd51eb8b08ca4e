/** Bytes that a position costs beside the channel's name: measured too. */
export const POSITION_BYTES = 96;

/** Part of the time and of the bytes of positions that one step covers. */
const STEPS = 8;

/** Positions that were returned, or became spare, in one step of time. */
class Step {
  /** Time that its positions are kept, in milliseconds. */
  readonly keptMs: number;
  /** Whether the step is dropped before all that were returned. */
  readonly isSpare: boolean;
  readonly offsets = new Map<string, number>();
  bytes = 0;
  /** No offset in the step is higher. */
  top = 0;
  readonly sinceMs: number = performance.now();
  /** Milliseconds; no position in a finished step was returned later. */
  untilMs: number = Number.POSITIVE_INFINITY;

  constructor(keptMs: number, isSpare: boolean) {
    this.keptMs = keptMs;
    this.isSpare = isSpare;
  }
}

/**
 * Positions of channels without a ChannelHistory: each for the age of its channel after it was last
 * returned, and up to an eighth more, within its limit. Ages above `keptMs` are rounded up to twice
 * as much, four times and so on, so that there are few steps. All other channels are at the floor.
 * No offset of a forgotten channel is above the floor, so a channel that starts there, or at its
 * position, assigns no offset twice. Positions that were returned together are forgotten together,
 * without a search for the oldest.
 *
 * Spare positions are those of channels that the total limit emptied. They use the rest of the
 * limit, and are dropped first.
 */
export class KeptPositions {
  readonly #keptMs: number;
  readonly #bytesMax: number;
  // Finished steps, in the order of their ends. A channel is in at most one step.
  #past: Step[] = [];
  // Unfinished steps, by the time that their positions are kept.
  readonly #current = new Map<number, Step>();
  #currentSpare: Step;
  #size = 0;
  #bytes = 0;
  #floor = 0;
  #dropped = 0;

  constructor(keptMs: number, bytesMax: number) {
    this.#keptMs = keptMs;
    this.#bytesMax = bytesMax;
    this.#currentSpare = new Step(keptMs, true);
  }

  get size(): number {
    return this.#size;
  }

  /** Bytes of all positions. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Positions forgotten early because of the limit. */
  get dropped(): number {
    return this.#dropped;
  }

  /**
   * Returns the channel's position, for a caller that returns it to a peer. `ageMs` is that of the
   * channel.
   */
  read(channel: string, ageMs: number): number {
    const known = this.#current.get(this.#keptMsOf(ageMs))?.offsets.get(channel);
    if (known !== undefined) return known;
    const offset = this.release(channel);
    this.keep(channel, offset, ageMs);
    return offset;
  }

  /** Returns the channel's position, and keeps it no longer than before. */
  peek(channel: string): number {
    for (const { offsets } of [...this.#current.values(), this.#currentSpare, ...this.#past]) {
      const offset = offsets.get(channel);
      if (offset !== undefined) return offset;
    }
    return this.#floor;
  }

  /** Returns and removes the position of a channel that gets a ChannelHistory. */
  release(channel: string): number {
    for (const step of this.#current.values()) {
      const offset = this.#releaseFrom(step, channel);
      if (offset !== undefined) return offset;
    }
    const offset = this.#releaseFrom(this.#currentSpare, channel);
    return offset ?? this.#releaseFromPast(channel) ?? this.#floor;
  }

  /**
   * Keeps the position of a channel that has none, and that was returned to a peer just now.
   * `ageMs` is that of the channel.
   */
  keep(channel: string, offset: number, ageMs: number): void {
    const bytes = bytesOf(channel);
    while (this.#bytes + bytes > this.#bytesMax) {
      const step = this.#takeFirstToDrop();
      if (step === undefined) break;
      this.#dropped += step.offsets.size;
      this.#forgetStep(step);
    }
    this.#put(this.#currentFor(this.#keptMsOf(ageMs), bytes), channel, offset, bytes);
  }

  /**
   * Keeps the position of a channel that has none, if nothing must be dropped for it. It may have
   * been returned to a peer long ago.
   */
  keepSpare(channel: string, offset: number): void {
    const bytes = bytesOf(channel);
    if (this.#bytes + bytes > this.#bytesMax) {
      this.forget(offset);
      return;
    }
    if (this.#isFull(this.#currentSpare, bytes)) this.#currentSpare = this.#nextStep(this.#currentSpare);
    this.#put(this.#currentSpare, channel, offset, bytes);
  }

  /** Raises the floor to the offset of a forgotten channel. */
  forget(offset: number): void {
    this.#floor = Math.max(this.#floor, offset);
  }

  /** Forgets expired positions. The owner calls it often. */
  sweep(): void {
    const nowMs = performance.now();
    for (const step of this.#current.values()) if (this.#isOver(step, nowMs)) this.#finish(step);
    if (this.#isOver(this.#currentSpare, nowMs)) this.#currentSpare = this.#nextStep(this.#currentSpare);
    const isKept = ({ untilMs, keptMs }: Step): boolean => untilMs > nowMs - keptMs;
    if (this.#past.every(isKept)) return;
    for (const step of this.#past) if (!isKept(step)) this.#forgetStep(step);
    this.#past = this.#past.filter(isKept);
  }

  #keptMsOf(ageMs: number): number {
    let keptMs = this.#keptMs;
    while (keptMs < ageMs) keptMs *= 2;
    return keptMs;
  }

  /** Returns the unfinished step with room for a position. */
  #currentFor(keptMs: number, bytes: number): Step {
    const known = this.#current.get(keptMs);
    if (known !== undefined && !this.#isFull(known, bytes)) return known;
    if (known !== undefined) this.#finish(known);
    const step = new Step(keptMs, false);
    this.#current.set(keptMs, step);
    return step;
  }

  #finish(step: Step): void {
    this.#current.delete(step.keptMs);
    this.#nextStep(step);
  }

  #releaseFromPast(channel: string): number | undefined {
    for (let index = this.#past.length - 1; index >= 0; index--) {
      const step = this.#past[index];
      const offset = step && this.#releaseFrom(step, channel);
      if (offset !== undefined) return offset;
    }
    return undefined;
  }

  #releaseFrom(step: Step, channel: string): number | undefined {
    const offset = step.offsets.get(channel);
    if (offset === undefined) return undefined;
    const bytes = bytesOf(channel);
    step.offsets.delete(channel);
    step.bytes -= bytes;
    this.#bytes -= bytes;
    this.#size -= 1;
    return offset;
  }

  #put(step: Step, channel: string, offset: number, bytes: number): void {
    step.offsets.set(channel, offset);
    step.top = Math.max(step.top, offset);
    step.bytes += bytes;
    this.#bytes += bytes;
    this.#size += 1;
  }

  #isFull(step: Step, bytes: number): boolean {
    return step.bytes > 0 && step.bytes + bytes > this.#bytesMax / STEPS;
  }

  #isOver({ offsets, sinceMs, keptMs }: Step, nowMs: number): boolean {
    return offsets.size === 0 || nowMs - sinceMs >= keptMs / STEPS;
  }

  /** Ends a step and returns its successor. */
  #nextStep(step: Step): Step {
    if (step.offsets.size > 0) {
      step.untilMs = performance.now();
      this.#past.push(step);
    }
    return new Step(step.keptMs, step.isSpare);
  }

  #takeFirstToDrop(): Step | undefined {
    if (this.#currentSpare.offsets.size > 0) this.#currentSpare = this.#nextStep(this.#currentSpare);
    // Steps of many ages may be unfinished, and all of them short.
    if (this.#past.length === 0) for (const step of this.#current.values()) this.#finish(step);
    const spare = this.#past.findIndex(({ isSpare }) => isSpare);
    return this.#past.splice(Math.max(spare, 0), 1)[0];
  }

  #forgetStep(step: Step): void {
    this.forget(step.top);
    this.#bytes -= step.bytes;
    this.#size -= step.offsets.size;
  }
}

function bytesOf(channel: string): number {
  return POSITION_BYTES + 2 * channel.length;
}

/** The state of a channel, for one answer. */
export interface ChannelView {
  /** Offset of the newest publication. */
  readonly top: number;
  /**
   * The offset before the oldest kept publication: a reader at this position or later misses
   * nothing.
   */
  readonly bottom: number;
  /**
   * Returns the frames after an offset that is not below `bottom`, up to `bytesMax` but at least
   * one if any exists.
   */
  framesAfter(offset: number, bytesMax: number): Uint8Array[];
}

/** A channel of which only the position is kept. */
export class PositionOnly implements ChannelView {
  readonly top: number;

  constructor(top: number) {
    this.top = top;
  }

  get bottom(): number {
    return this.top;
  }

  framesAfter(): Uint8Array[] {
    return [];
  }
}
