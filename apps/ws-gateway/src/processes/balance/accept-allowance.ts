import { FIRST_ALLOWANCE } from './accept-balancer.ts';

/** Share of the open connections that a worker accepts between two reports. */
const REPORT_SHARE = 1 / 20;

/** Counts the connections that a worker accepts, against the allowance that the primary sends. */
export class AcceptAllowance {
  #accepted = 0;
  #reported = 0;
  #upTo = FIRST_ALLOWANCE;

  /** Connections accepted since the start. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Whether the allowance is used up: then the worker must not accept. */
  get isUsedUp(): boolean {
    return this.#accepted >= this.#upTo;
  }

  /**
   * Counts one more; `connections` are open now. Returns whether to report it: each one of the
   * first, seldom where there are many, and always the last one of the allowance.
   */
  accept(connections: number): boolean {
    this.#accepted += 1;
    if (!this.isUsedUp && this.#accepted - this.#reported < connections * REPORT_SHARE) return false;
    this.#reported = this.#accepted;
    return true;
  }

  /** Replaces the allowance, by a higher or a lower one. */
  allow(upTo: number): void {
    this.#upTo = upTo;
  }
}
