/** A worker reports when it has taken this share of what it has: seldom where there are many, and each one where there are few. */
const REPORT_SHARE = 1 / 20;

/** Counts the connections that a worker takes, and says when the primary should hear of it. */
export class TakingReports {
  #taken = 0;
  #reported = 0;

  get taken(): number {
    return this.#taken;
  }

  /** One more. Says whether to report it; `connections` is how many there are now. */
  take(connections: number): boolean {
    this.#taken += 1;
    if (this.#taken - this.#reported < connections * REPORT_SHARE) return false;
    this.#reported = this.#taken;
    return true;
  }
}
