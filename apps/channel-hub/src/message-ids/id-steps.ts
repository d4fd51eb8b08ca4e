/** Part of the time and of the number of ids that one step covers. */
const STEPS = 8;

/** Ids of one step of time. */
class Step {
  readonly ids = new Map<string, number>();
  /** Milliseconds of the clock; no id in the step is older. */
  sinceMs: number;
  /** Milliseconds; no id in a finished step is newer. */
  untilMs: number = Number.POSITIVE_INFINITY;

  constructor(nowMs: number) {
    this.sinceMs = nowMs;
  }
}

/**
 * Offsets by id. Ids that were added together are forgotten together, without a search for the
 * oldest.
 */
export class IdSteps {
  readonly #stepIdsMin: number;
  readonly #clock: () => number;
  // Finished steps, oldest first.
  #past: Step[] = [];
  #current: Step;
  #size = 0;

  /**
   * `stepIdsMin`: a step with fewer ids ends by time only, and is not forgotten early. `clock`
   * returns milliseconds that never decrease.
   */
  constructor(stepIdsMin: number, clock: () => number) {
    this.#stepIdsMin = stepIdsMin;
    this.#clock = clock;
    this.#current = new Step(clock());
  }

  get size(): number {
    return this.#size;
  }

  offsetOf(key: string): number | undefined {
    const known = this.#current.ids.get(key);
    if (known !== undefined) return known;
    for (let index = this.#past.length - 1; index >= 0; index--) {
      const offset = this.#past[index]?.ids.get(key);
      if (offset !== undefined) return offset;
    }
    return undefined;
  }

  /** The key must be unknown. */
  add(key: string, offset: number): void {
    if (this.#current.ids.size >= Math.max(this.#stepIdsMin, this.#size / STEPS)) this.#beginStep();
    this.#current.ids.set(key, offset);
    this.#size += 1;
  }

  /** Forgets one id. Returns whether it was known. */
  forget(key: string): boolean {
    const isKnown = [this.#current, ...this.#past].some(({ ids }) => ids.delete(key));
    if (isKnown) this.#size -= 1;
    return isKnown;
  }

  /** Forgets ids older than `keptMs`, up to an eighth late. Returns their number. */
  sweep(keptMs: number): number {
    const { ids, sinceMs } = this.#current;
    const nowMs = this.#clock();
    if (ids.size === 0) this.#current.sinceMs = nowMs;
    else if (nowMs - sinceMs >= keptMs / STEPS) this.#beginStep();
    let count = 0;
    while ((this.#past[0]?.untilMs ?? nowMs) <= nowMs - keptMs) count += this.forgetOldest();
    return count;
  }

  /** Forgets the oldest step of ids. Returns their number. */
  forgetOldest(): number {
    if (this.#past.length === 0) this.#beginStep();
    const count = this.#past.shift()?.ids.size ?? 0;
    this.#size -= count;
    return count;
  }

  #beginStep(): void {
    const nowMs = this.#clock();
    this.#current.untilMs = nowMs;
    this.#past.push(this.#current);
    this.#current = new Step(nowMs);
  }
}
