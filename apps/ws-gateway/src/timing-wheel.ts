import { checkOption, integerOption, TIMER_MS_MAX } from '@groupcast/options';

/** An entry of a wheel. Each has one expiry at a time. */
export interface Timed {
  /** Slot of the entry, or `NOT_WAITING`. Only the wheel changes this. */
  wheelSlot: number;
  /**
   * Called at the expiry, or earlier if that is more than a revolution of the wheel away: compare
   * `wheel.now`. Must not throw.
   */
  expired(): void;
}

/** The `wheelSlot` of an entry without an expiry. */
export const NOT_WAITING = -1;

/** A revolution of the wheel, in ticks: longer than the common waits. */
const SLOTS = 64;

/**
 * Milliseconds between the steps of a tick, over which its entries expire evenly. Cutting hundreds
 * of slow clients at once would block the event loop for a quarter of a second.
 */
const STEP_MS = 20;

const TICK = integerOption({ default: 1_000, min: 1, max: TIMER_MS_MAX, unit: 'milliseconds' });

/**
 * The clock of a worker. Entries wait in the slot of their tick, so that 10,000 connections need
 * one timer. Time is counted in ticks instead of read from a clock, so that a process that was
 * paused does not close its clients as silent.
 */
export class TimingWheel {
  readonly #tickMs: number;
  readonly #slots: readonly Set<Timed>[] = Array.from({ length: SLOTS }, () => new Set<Timed>());
  #now = 0;
  #interval: NodeJS.Timeout | undefined;
  /** Runs while entries of this tick wait for their step. */
  #stepper: NodeJS.Timeout | undefined;

  /** `tickMs` is the length of a tick in milliseconds. Throws OptionError if it is invalid. */
  constructor(tickMs = 1_000) {
    checkOption('TimingWheel', 'tickMs', TICK, tickMs);
    this.#tickMs = tickMs;
  }

  /** Number of ticks since the start. */
  get now(): number {
    return this.#now;
  }

  /** Time of the last tick, in milliseconds since the start. */
  get nowMs(): number {
    return this.#now * this.#tickMs;
  }

  /** Number of entries with an expiry. */
  get waiting(): number {
    return this.#slots.reduce((sum, slot) => sum + slot.size, 0);
  }

  /** Starts the timer of the wheel. It runs until `stop`. */
  start(): void {
    this.#interval ??= setInterval(() => this.#tickInSteps(), this.#tickMs);
  }

  stop(): void {
    clearInterval(this.#interval);
    clearInterval(this.#stepper);
    this.#interval = undefined;
  }

  /** Returns the ticks of a time, at least one. */
  ticksOf(milliseconds: number): number {
    return Math.max(1, Math.ceil(milliseconds / this.#tickMs));
  }

  /** Sets the expiry of `timed` in `ticks`, at least one. Replaces the previous expiry. */
  schedule(timed: Timed, ticks: number): void {
    this.cancel(timed);
    const index = (this.#now + Math.max(1, Math.min(ticks, SLOTS - 1))) % SLOTS;
    this.#slots[index]?.add(timed);
    timed.wheelSlot = index;
  }

  cancel(timed: Timed): void {
    this.#slots[timed.wheelSlot]?.delete(timed);
    timed.wheelSlot = NOT_WAITING;
  }

  /** Advances the wheel by one tick, for tests without a timer. */
  tick(): void {
    this.#now += 1;
    this.#expire(Number.POSITIVE_INFINITY);
  }

  #tickInSteps(): void {
    // Entries that the tick before has left, on a machine that is too slow.
    clearInterval(this.#stepper);
    this.#expire(Number.POSITIVE_INFINITY);
    this.#now += 1;
    const steps = Math.max(1, Math.floor(this.#tickMs / STEP_MS));
    const perStep = Math.ceil((this.#slots[this.#now % SLOTS]?.size ?? 0) / steps);
    if (!this.#expire(perStep)) return;
    this.#stepper = setInterval(() => {
      if (!this.#expire(perStep)) clearInterval(this.#stepper);
    }, STEP_MS);
  }

  /** Expires up to `max` due entries. Returns whether there are more. */
  #expire(max: number): boolean {
    let left = max;
    // An entry may be scheduled again, but never in this slot: the loop ends.
    for (const timed of this.#slots[this.#now % SLOTS] ?? []) {
      if (left === 0) return true;
      left -= 1;
      this.cancel(timed);
      timed.expired();
    }
    return false;
  }
}
