import { FIRST_ALLOWANCE } from './accept-balancer.ts';

/** Share of an allowance that a worker uses up between two reports. */
const ALLOWANCE_SHARE = 1 / 2;

/** Share of the open connections that a worker without a limit accepts between two reports. */
const CONNECTIONS_SHARE = 1 / 20;

/** Counts the connections that a worker accepts, against the allowance that the primary sends. */
export class AcceptAllowance {
  #accepted = 0;
  #reported = 0;
  #upTo = FIRST_ALLOWANCE;
  /** Connections left when the allowance came. */
  #granted = FIRST_ALLOWANCE;

  /** Connections accepted since the start. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Whether the allowance is used up: then the worker must not accept. */
  get isUsedUp(): boolean {
    return this.#accepted >= this.#upTo;
  }

  /**
   * Counts one more; `connections` are open now. Returns whether to report it: at the half and at
   * the end of the allowance.
   */
  accept(connections: number): boolean {
    this.#accepted += 1;
    const reportEvery = Number.isFinite(this.#granted)
      ? this.#granted * ALLOWANCE_SHARE
      : connections * CONNECTIONS_SHARE;
    if (!this.isUsedUp && this.#accepted - this.#reported < reportEvery) return false;
    this.#reported = this.#accepted;
    return true;
  }

  /** Replaces the allowance, by a higher or a lower one. */
  allow(upTo: number): void {
    this.#upTo = upTo;
    this.#granted = upTo - this.#accepted;
  }
}
