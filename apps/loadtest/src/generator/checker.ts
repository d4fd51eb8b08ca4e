/** Faults among the deliveries to members. */
export interface Faults {
  /** Deliveries that never arrived. */
  readonly lost: number;
  /** Deliveries that arrived more than once. */
  readonly doubled: number;
  /** Deliveries that arrived after one with a higher number. */
  readonly misordered: number;
  /** Messages for another member, or of an unknown sender. */
  readonly unexpected: number;
}

/** Missing numbers that are stored. Further ones count as lost even if they arrive late. */
const HOLES_MAX = 200_000;

/**
 * Checks that each member receives each message of its group once and in order. A correct delivery
 * costs a comparison and a store; only missing numbers need memory.
 */
export class Checker {
  readonly #groups: Int32Array;
  readonly #next: Int32Array;
  readonly #holes = new Map<number, Set<number>>();
  #holeCount = 0;
  #forgotten = 0;
  #received = 0;
  #doubled = 0;
  #misordered = 0;
  #unexpected = 0;

  /** `groups` has the group of each member. */
  constructor(groups: readonly number[]) {
    this.#groups = Int32Array.from(groups);
    this.#next = new Int32Array(groups.length);
  }

  /** Number of first deliveries. */
  get received(): number {
    return this.#received;
  }

  /** Checks a delivery. Returns true for the first delivery to the right member. */
  take(member: number, group: number, sequence: number): boolean {
    if (this.#groups[member] !== group || sequence < 0) {
      this.#unexpected++;
      return false;
    }
    const next = this.#next[member] ?? 0;
    if (sequence < next) return this.#late(member, sequence);
    this.#next[member] = sequence + 1;
    this.#received++;
    if (sequence > next) this.#missing(member, next, sequence);
    return true;
  }

  /** Counts an unreadable message. */
  unreadable(): void {
    this.#unexpected++;
  }

  /** Returns the expected deliveries if each group got `published(group)` messages. */
  expected(published: (group: number) => number): number {
    return this.#groups.reduce((sum, group) => sum + published(group), 0);
  }

  /**
   * Returns the faults if each group got `published(group)` messages and no delivery is pending.
   */
  faults(published: (group: number) => number): Faults {
    let lost = this.#holeCount + this.#forgotten;
    for (const [member, group] of this.#groups.entries()) {
      lost += Math.max(0, published(group) - (this.#next[member] ?? 0));
    }
    return { lost, doubled: this.#doubled, misordered: this.#misordered, unexpected: this.#unexpected };
  }

  #late(member: number, sequence: number): boolean {
    const holes = this.#holes.get(member);
    if (holes?.delete(sequence) !== true) {
      this.#doubled++;
      return false;
    }
    if (holes.size === 0) this.#holes.delete(member);
    this.#holeCount--;
    this.#misordered++;
    this.#received++;
    return true;
  }

  #missing(member: number, from: number, to: number): void {
    const kept = Math.min(to - from, HOLES_MAX - this.#holeCount);
    this.#forgotten += to - from - kept;
    this.#holeCount += kept;
    const holes = this.#holes.get(member) ?? new Set();
    this.#holes.set(member, holes);
    for (let sequence = to - kept; sequence < to; sequence++) holes.add(sequence);
  }
}
