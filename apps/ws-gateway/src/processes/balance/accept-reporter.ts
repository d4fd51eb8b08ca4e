/** A worker reports when it has taken this share of what it has: seldom where there are many, and each one where there are few. */
const REPORT_SHARE = 1 / 20;

/** Counts the connections that a worker takes, and says when the primary should hear of it. */
export class AcceptReporter {
  #accepted = 0;
  #reported = 0;

  get accepted(): number {
    return this.#accepted;
  }

  /** One more. Says whether to report it; `connections` is how many there are now. */
  take(connections: number): boolean {
    this.#accepted += 1;
    if (this.#accepted - this.#reported < connections * REPORT_SHARE) return false;
    this.#reported = this.#accepted;
    return true;
  }
}
