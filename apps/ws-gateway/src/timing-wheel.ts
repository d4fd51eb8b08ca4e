import { checkOption, integerOption, TIMER_MS_MAX } from '@groupcast/options';

/** What waits on a wheel. Of one thing, one expiry waits at a time. */
export interface Timed {
  /** The wheel's own: in which slot this waits, `NOT_WAITING` when in none. */
  wheelSlot: number;
  /** The time has come, or, for waits longer than a turn of the wheel, may have come: look at `wheel.now`. Must not throw. */
  expired(): void;
}

/** The `wheelSlot` of what does not wait. */
export const NOT_WAITING = -1;

/** A turn of the wheel, in ticks: longer than the waits that are common here. */
const SLOTS = 64;

/**
 * What is due in one tick expires in steps of so many milliseconds, evenly over the tick. When hundreds of slow clients are cut
 * in one tick, all that waits for them has to be given up: done at once, that takes a quarter of a second, in which nobody else
 * is served.
 */
const STEP_MS = 20;

const TICK = integerOption({ default: 1_000, min: 1, max: TIMER_MS_MAX, unit: 'milliseconds' });

/**
 * The one clock of a worker. Whatever has to happen later waits in the slot of its tick, so that 10,000 connections cost one
 * timer. Times are counted in ticks, not read from a clock, so that a process that was paused does not accuse its peers.
 */
export class TimingWheel {
  readonly #tickMs: number;
  readonly #slots: readonly Set<Timed>[] = Array.from({ length: SLOTS }, () => new Set<Timed>());
  #now = 0;
  #interval: NodeJS.Timeout | undefined;
  /** While something of this tick waits for its step. */
  #stepper: NodeJS.Timeout | undefined;

  /** `tickMs` is the length of a tick in milliseconds, 1,000 by default. Throws OptionError `bad_option` for such that is none. */
  constructor(tickMs = 1_000) {
    checkOption('TimingWheel', 'tickMs', TICK, tickMs);
    this.#tickMs = tickMs;
  }

  /** How many ticks have passed. */
  get now(): number {
    return this.#now;
  }

  /** The time of the last tick, in milliseconds since the first. */
  get nowMs(): number {
    return this.#now * this.#tickMs;
  }

  /** How many things wait. */
  get waiting(): number {
    return this.#slots.reduce((sum, slot) => sum + slot.size, 0);
  }

  /** Lets the wheel turn by itself, until `stop`. */
  start(): void {
    this.#interval ??= setInterval(() => this.#tickInSteps(), this.#tickMs);
  }

  stop(): void {
    clearInterval(this.#interval);
    clearInterval(this.#stepper);
    this.#interval = undefined;
  }

  /** The ticks that a time takes, at least one. */
  ticksOf(milliseconds: number): number {
    return Math.max(1, Math.ceil(milliseconds / this.#tickMs));
  }

  /** Lets `timed` expire in so many ticks, at least one, in place of what it waited for before. */
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

  /** Turns the wheel by one tick, for tests that turn it by hand. */
  tick(): void {
    this.#now += 1;
    this.#expire(Number.POSITIVE_INFINITY);
  }

  #tickInSteps(): void {
    // What the tick before has left, on a machine that does not keep up.
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

  /** Lets some of what is due expire. Whether there is more. */
  #expire(max: number): boolean {
    let left = max;
    // What expires may wait again, but never in this slot, so the loop ends.
    for (const timed of this.#slots[this.#now % SLOTS] ?? []) {
      if (left === 0) return true;
      left -= 1;
      this.cancel(timed);
      timed.expired();
    }
    return false;
  }
}
