/** The time that ids are known for, and their number, are counted in steps of this part. */
const STEPS = 8;

/** Ids that came in one step of time. */
class Step {
  readonly ids = new Map<string, number>();
  /** No id in it is older, in milliseconds of `performance.now`. */
  sinceMs: number = performance.now();
  /** No id in it is newer; only of a step that is over. */
  untilMs: number = Number.POSITIVE_INFINITY;
}

/** Offsets by id. Ids that came together are forgotten together, so that nobody has to look for the oldest. */
export class IdSteps {
  readonly #stepIdsMin: number;
  // Those that are over, oldest first.
  #past: Step[] = [];
  #current = new Step();
  #size = 0;

  /** `stepIdsMin`: fewer are not forgotten for want of room; they make a step of their own in time only. */
  constructor(stepIdsMin: number) {
    this.#stepIdsMin = stepIdsMin;
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

  /** Only for a key that is not known. */
  add(key: string, offset: number): void {
    if (this.#current.ids.size >= Math.max(this.#stepIdsMin, this.#size / STEPS)) this.#beginStep();
    this.#current.ids.set(key, offset);
    this.#size += 1;
  }

  /** Forgets what is known for `keptMs`, up to an eighth late. Answers how many ids that were. */
  sweep(keptMs: number): number {
    const { ids, sinceMs } = this.#current;
    const nowMs = performance.now();
    if (ids.size === 0) this.#current.sinceMs = nowMs;
    else if (nowMs - sinceMs >= keptMs / STEPS) this.#beginStep();
    let count = 0;
    while ((this.#past[0]?.untilMs ?? nowMs) <= nowMs - keptMs) count += this.forgetOldest();
    return count;
  }

  /** Forgets the oldest ids together. Answers how many that were. */
  forgetOldest(): number {
    if (this.#past.length === 0) this.#beginStep();
    const count = this.#past.shift()?.ids.size ?? 0;
    this.#size -= count;
    return count;
  }

  #beginStep(): void {
    this.#current.untilMs = performance.now();
    this.#past.push(this.#current);
    this.#current = new Step();
  }
}
