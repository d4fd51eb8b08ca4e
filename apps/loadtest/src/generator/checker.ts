/** What was wrong with what members got. */
export interface Faults {
  /** Deliveries that never came. */
  readonly lost: number;
  /** Deliveries that came again. */
  readonly doubled: number;
  /** Deliveries that came after one with a higher number. */
  readonly misordered: number;
  /** Messages that were not for this member, or none of ours. */
  readonly unexpected: number;
}

/** How many missing numbers are kept by name; the others are lost even if they come late. */
const HOLES_MAX = 200_000;

/**
 * Checks that each member gets each message of its group once and in order. What goes well costs a comparison and a store;
 * memory is taken only by what is missing.
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

  /** `groups` holds the group of each member. */
  constructor(groups: readonly number[]) {
    this.#groups = Int32Array.from(groups);
    this.#next = new Int32Array(groups.length);
  }

  /** Deliveries that came for the first time. */
  get received(): number {
    return this.#received;
  }

  /** Takes a delivery. True when it came for the first time and to whom it belongs. */
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

  /** Counts a message that cannot even be read. */
  unreadable(): void {
    this.#unexpected++;
  }

  /** How many deliveries there must be when `published(group)` messages went to each group. */
  expected(published: (group: number) => number): number {
    return this.#groups.reduce((sum, group) => sum + published(group), 0);
  }

  /** What is wrong when `published(group)` messages went to each group, and no more deliveries are waited for. */
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
