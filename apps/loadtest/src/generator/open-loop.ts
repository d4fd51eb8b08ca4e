/** Dependencies and rate of an OpenLoop. */
export interface OpenLoopOptions {
  readonly groups: readonly number[];
  /** Messages per second, over all groups. */
  readonly rate: number;
  /** Messages in total; undefined: until `stop`. */
  readonly messages: number | undefined;
  readonly nowUs: () => number;
  /** Sends a message to the group that was due at that time, however late it is now. */
  readonly publish: (group: number, dueUs: number) => void;
  readonly onFinished: () => void;
}

/** Timers are exact to a millisecond or two; shorter delays block the thread. */
const TIMER_US = 2_500;

/** Shorter delays are not worth a sleep. */
const SLEEP_US_MIN = 30;

/**
 * Sends at an even rate, independent of the answers. It sleeps exactly, by blocking its thread for
 * up to a few milliseconds: its process must have no other work. A timer alone would be up to a
 * millisecond late, more than a good server's latency.
 */
export class OpenLoop {
  readonly #options: OpenLoopOptions;
  readonly #sleeper = new Int32Array(new SharedArrayBuffer(4));
  #startUs = 0;
  #sent = 0;
  #running = false;

  constructor(options: OpenLoopOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running = true;
    this.#startUs = this.#options.nowUs();
    this.#turn();
  }

  stop(): void {
    this.#running = false;
  }

  #turn(): void {
    const { groups, messages = Number.POSITIVE_INFINITY, nowUs, publish, onFinished } = this.#options;
    if (!this.#running) return;
    while (this.#dueUs() <= nowUs() && this.#sent < messages && this.#running) {
      publish(groups[this.#sent % groups.length] ?? 0, this.#dueUs());
      this.#sent++;
    }
    if (this.#sent >= messages) {
      this.#running = false;
      onFinished();
      return;
    }
    const waitUs = this.#dueUs() - nowUs();
    if (waitUs > TIMER_US) {
      setTimeout(() => this.#turn(), Math.floor((waitUs - TIMER_US) / 1_000));
      return;
    }
    if (waitUs > SLEEP_US_MIN) Atomics.wait(this.#sleeper, 0, 0, waitUs / 1_000);
    // Through the event loop, so that received data is read.
    setImmediate(() => this.#turn());
  }

  /** Counted from the start each time, so that errors do not add up. */
  #dueUs(): number {
    return this.#startUs + (this.#sent * 1_000_000) / this.#options.rate;
  }
}
