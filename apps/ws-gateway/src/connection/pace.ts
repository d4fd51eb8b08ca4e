/** Bytes that a connection sent in the last ticks, while bytes were buffered for it. */
export class Pace {
  readonly #ticks: number;
  /** Bytes that had been sent at each of the last ticks: one more tick than the window has. */
  readonly #sent: number[] = [];
  #startTick = 0;

  /** `ticks` is the length of the window. */
  constructor(ticks: number) {
    this.#ticks = ticks;
  }

  /** Starts at a tick. `sentBytes` is the total of the connection. */
  start(tick: number, sentBytes: number): void {
    this.#startTick = tick;
    this.record(tick, sentBytes);
  }

  /** Returns the ticks since the start, up to the length of the window. */
  elapsed(tick: number): number {
    return Math.min(tick - this.#startTick, this.#ticks);
  }

  /** Returns the bytes sent in the elapsed ticks. `sentBytes` is the total of the connection. */
  sent(tick: number, sentBytes: number): number {
    return sentBytes - (this.#sent[this.#indexOf(tick - this.elapsed(tick))] ?? sentBytes);
  }

  /** Records the total of the connection at a tick. Must be called at each tick. */
  record(tick: number, sentBytes: number): void {
    this.#sent[this.#indexOf(tick)] = sentBytes;
  }

  #indexOf(tick: number): number {
    return tick % (this.#ticks + 1);
  }
}
