/** What a place costs beside the channel's name, in bytes: measured too. */
export const POSITION_BYTES = 96;

/** The time that places are kept for, and the room that they may take, are counted in steps of this part. */
const STEPS = 8;

/** Places that were told, or became spare, in one step of time. */
class Step {
  /** Whether they go before all that were told. */
  readonly isSpare: boolean;
  readonly offsets = new Map<string, number>();
  bytes = 0;
  /** No offset in it is above. */
  top = 0;
  readonly sinceMs: number = performance.now();
  /** No place in it was told later; only of a step that is over. */
  untilMs: number = Number.POSITIVE_INFINITY;

  constructor(isSpare: boolean) {
    this.isSpare = isSpare;
  }
}

/**
 * Where channels stand that have no stream: each whose position somebody was told, for `keptMs` after it was told last and up to an eighth more, as long as
 * there is room; and all others together, at the floor. No offset of a channel that was forgotten is above the floor, so that a channel which begins there, or at
 * its place, gives no offset twice. Places that were told together are forgotten together, so that nobody has to look for the oldest.
 *
 * Spare places are of channels that were emptied for want of room. They take what is left, and are the first to go.
 */
export class KeptPositions {
  readonly #keptMs: number;
  readonly #bytesMax: number;
  // Those that are over, oldest first. A channel is in one step at most.
  #past: Step[] = [];
  #current = new Step(false);
  #currentSpare = new Step(true);
  #size = 0;
  #bytes = 0;
  #floor = 0;
  #dropped = 0;

  constructor(keptMs: number, bytesMax: number) {
    this.#keptMs = keptMs;
    this.#bytesMax = bytesMax;
  }

  get size(): number {
    return this.#size;
  }

  /** What they take, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Places that were forgotten before their time, for want of room. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Where the channel stands, which somebody is told now. */
  read(channel: string): number {
    const told = this.#current.offsets.get(channel);
    if (told !== undefined) return told;
    const offset = this.release(channel);
    this.keep(channel, offset);
    return offset;
  }

  /** Where the channel stands, which has a stream from now on, and so no place. */
  release(channel: string): number {
    const offset = this.#takeFrom(this.#current, channel) ?? this.#takeFrom(this.#currentSpare, channel);
    return offset ?? this.#takeFromPast(channel) ?? this.#floor;
  }

  /** The channel, which has no place, stands there, and somebody was told so just now. */
  keep(channel: string, offset: number): void {
    const bytes = bytesOf(channel);
    if (this.#isFull(this.#current, bytes)) this.#current = this.#next(this.#current);
    while (this.#bytes + bytes > this.#bytesMax) {
      const step = this.#takeFirstToGo();
      if (step === undefined) break;
      this.#dropped += step.offsets.size;
      this.#forgetStep(step);
    }
    this.#put(this.#current, channel, offset, bytes);
  }

  /** The channel, which has no place, stands there, and may have been told so long ago: kept if nothing has to go for it. */
  keepSpare(channel: string, offset: number): void {
    const bytes = bytesOf(channel);
    if (this.#bytes + bytes > this.#bytesMax) {
      this.forget(offset);
      return;
    }
    if (this.#isFull(this.#currentSpare, bytes)) this.#currentSpare = this.#next(this.#currentSpare);
    this.#put(this.#currentSpare, channel, offset, bytes);
  }

  /** A channel that stood there is forgotten. */
  forget(offset: number): void {
    this.#floor = Math.max(this.#floor, offset);
  }

  /** Forgets what was kept for long enough. To be called often. */
  sweep(): void {
    const nowMs = performance.now();
    if (this.#isOver(this.#current, nowMs)) this.#current = this.#next(this.#current);
    if (this.#isOver(this.#currentSpare, nowMs)) this.#currentSpare = this.#next(this.#currentSpare);
    const kept = this.#past.findIndex(({ untilMs }) => untilMs > nowMs - this.#keptMs);
    const over = this.#past.splice(0, kept === -1 ? this.#past.length : kept);
    for (const step of over) this.#forgetStep(step);
  }

  #takeFromPast(channel: string): number | undefined {
    for (let index = this.#past.length - 1; index >= 0; index--) {
      const step = this.#past[index];
      const offset = step && this.#takeFrom(step, channel);
      if (offset !== undefined) return offset;
    }
    return undefined;
  }

  #takeFrom(step: Step, channel: string): number | undefined {
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

  #isOver({ offsets, sinceMs }: Step, nowMs: number): boolean {
    return offsets.size === 0 || nowMs - sinceMs >= this.#keptMs / STEPS;
  }

  /** The step that takes the place of one that is over. */
  #next(step: Step): Step {
    if (step.offsets.size > 0) {
      step.untilMs = performance.now();
      this.#past.push(step);
    }
    return new Step(step.isSpare);
  }

  #takeFirstToGo(): Step | undefined {
    if (this.#currentSpare.offsets.size > 0) this.#currentSpare = this.#next(this.#currentSpare);
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
