/** Somebody for whom output may wait. */
export interface Output {
  /** Bytes that wait here. */
  readonly queuedBytes: number;
  /** Whether publications came from it since this was last asked. */
  hasPublished(): boolean;
  /** Reads nothing from it until `resume`. */
  pause(): void;
  resume(): void;
  /** Ends it, because its queue is the longest of too much. */
  evict(): void;
}

/** What an OutputBudget has seen and done. */
export interface OutputBudgetStats {
  /** Bytes that waited for all together when they were last counted. */
  readonly queuedBytes: number;
  /** How often a publisher was made to pause. */
  readonly pauses: number;
  /** Outputs that were ended. */
  readonly evictions: number;
}

/** Part of the budget at which publishers pause. */
const PAUSE_SHARE = 0.75;

/** Part of the budget that may be handed out before everything is counted again without waiting for the next tick. */
const CHECK_SHARE = 1 / 16;

/**
 * Keeps what waits for all peers together within bounds: each queue is bounded by its link, but the sum of them is not.
 * Near the limit publishers pause for a tick at a time, so that readers catch up; above it the longest queues are given up.
 */
export class OutputBudget {
  readonly #bytesMax: number;
  readonly #outputs: () => Iterable<Output>;
  #paused: Output[] = [];
  #queuedBytes = 0;
  #uncountedBytes = 0;
  #pauses = 0;
  #evictions = 0;

  /** `outputs`: all there are, whenever it is called. */
  constructor(bytesMax: number, outputs: () => Iterable<Output>) {
    this.#bytesMax = bytesMax;
    this.#outputs = outputs;
  }

  /** So much was handed out to outputs. */
  add(bytes: number): void {
    this.#uncountedBytes += bytes;
    if (this.#uncountedBytes > this.#bytesMax * CHECK_SHARE) this.#check();
  }

  /** To be called often. Who was made to pause goes on, unless there is too much still. */
  tick(): void {
    for (const output of this.#paused) output.resume();
    this.#paused = [];
    // While nothing is handed out and nothing waits, there is nothing to count.
    if (this.#uncountedBytes > 0 || this.#queuedBytes > 0) this.#check();
  }

  stats(): OutputBudgetStats {
    return { queuedBytes: this.#queuedBytes, pauses: this.#pauses, evictions: this.#evictions };
  }

  #check(): void {
    this.#uncountedBytes = 0;
    this.#count();
    if (this.#queuedBytes > this.#bytesMax) this.#evictLongest();
    if (this.#queuedBytes >= this.#bytesMax * PAUSE_SHARE) this.#pausePublishers();
  }

  #count(): void {
    this.#queuedBytes = 0;
    for (const output of this.#outputs()) this.#queuedBytes += output.queuedBytes;
  }

  #evictLongest(): void {
    const outputs = [...this.#outputs()].sort((one, other) => other.queuedBytes - one.queuedBytes);
    for (const output of outputs) {
      if (this.#queuedBytes <= this.#bytesMax) return;
      this.#queuedBytes -= output.queuedBytes;
      this.#evictions += 1;
      output.evict();
    }
  }

  #pausePublishers(): void {
    for (const output of this.#outputs()) {
      if (!output.hasPublished()) continue;
      this.#pauses += 1;
      this.#paused.push(output);
      output.pause();
    }
  }
}
