/** What a place costs beside the channel's name, in bytes: measured too. */
export const PLACE_BYTES = 96;

/** The time that places are kept for, and the room that they may take, are counted in steps of this part. */
const STEPS = 8;

/** Places that were told in one step of time. */
class Step {
  readonly offsets = new Map<string, number>();
  bytes = 0;
  /** No offset in it is above. */
  top = 0;
  readonly sinceMs: number = performance.now();
  /** No place in it was told later; only of a step that is over. */
  untilMs: number = Number.POSITIVE_INFINITY;
}

/**
 * Where channels stand that have no stream: each whose position somebody was told, for `keptMs` after it was told last and up to an eighth more, as long as
 * there is room; and all others together, at the floor. No offset of a channel that was forgotten is above the floor, so that a channel which begins there, or at
 * its place, gives no offset twice. Places that were told together are forgotten together, so that nobody has to look for the oldest.
 */
export class Places {
  readonly #keptMs: number;
  readonly #bytesMax: number;
  // Those that are over, oldest first. A channel is in one step at most.
  #past: Step[] = [];
  #current = new Step();
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
  tell(channel: string): number {
    const told = this.#current.offsets.get(channel);
    if (told !== undefined) return told;
    const offset = this.take(channel);
    this.keep(channel, offset);
    return offset;
  }

  /** Where the channel stands, which has a stream from now on, and so no place. */
  take(channel: string): number {
    return this.#takeFrom(this.#current, channel) ?? this.#takeFromPast(channel) ?? this.#floor;
  }

  /** The channel, which has no place, stands there, and somebody was told so just now. */
  keep(channel: string, offset: number): void {
    const bytes = bytesOf(channel);
    const stepBytesMax = this.#bytesMax / STEPS;
    if (this.#current.bytes + bytes > stepBytesMax && this.#current.bytes > 0) this.#beginStep();
    while (this.#bytes + bytes > this.#bytesMax && this.#past.length > 0)
      this.#dropped += this.#forgetOldest();
    this.#current.offsets.set(channel, offset);
    this.#current.top = Math.max(this.#current.top, offset);
    this.#current.bytes += bytes;
    this.#bytes += bytes;
    this.#size += 1;
  }

  /** A channel that stood there is forgotten. */
  forget(offset: number): void {
    this.#floor = Math.max(this.#floor, offset);
  }

  /** Forgets what was kept for long enough. To be called often. */
  sweep(): void {
    const nowMs = performance.now();
    const { offsets, sinceMs } = this.#current;
    if (offsets.size === 0) this.#current = new Step();
    else if (nowMs - sinceMs >= this.#keptMs / STEPS) this.#beginStep();
    while ((this.#past[0]?.untilMs ?? nowMs) <= nowMs - this.#keptMs) this.#forgetOldest();
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

  #beginStep(): void {
    this.#current.untilMs = performance.now();
    this.#past.push(this.#current);
    this.#current = new Step();
  }

  /** Answers how many places that were. */
  #forgetOldest(): number {
    const step = this.#past.shift();
    if (step === undefined) return 0;
    this.forget(step.top);
    this.#bytes -= step.bytes;
    this.#size -= step.offsets.size;
    return step.offsets.size;
  }
}

function bytesOf(channel: string): number {
  return PLACE_BYTES + 2 * channel.length;
}
