/** How many bytes a connection took in the last ticks, while something waited for it. */
export class Pace {
  readonly #ticks: number;
  /** What had been taken at the last ticks, of which there are one more than the window has. */
  readonly #taken: number[] = [];
  #beganTick = 0;

  /** The window has so many ticks. */
  constructor(ticks: number) {
    this.#ticks = ticks;
  }

  /** Begins at a tick, at which so much had been taken in all. */
  begin(tick: number, takenBytes: number): void {
    this.#beganTick = tick;
    this.record(tick, takenBytes);
  }

  /** Ticks since it began, no more than the window has. */
  elapsed(tick: number): number {
    return Math.min(tick - this.#beganTick, this.#ticks);
  }

  /** Bytes that were taken in the elapsed ticks, of `takenBytes` in all. */
  taken(tick: number, takenBytes: number): number {
    return takenBytes - (this.#taken[this.#placeOf(tick - this.elapsed(tick))] ?? takenBytes);
  }

  /** Keeps what had been taken at a tick. To be called at each. */
  record(tick: number, takenBytes: number): void {
    this.#taken[this.#placeOf(tick)] = takenBytes;
  }

  #placeOf(tick: number): number {
    return tick % (this.#ticks + 1);
  }
}
