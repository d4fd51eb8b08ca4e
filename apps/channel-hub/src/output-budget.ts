/** A peer with a buffer of peer. */
export interface BufferedPeer {
  /** Bytes in the buffer. */
  readonly bufferedBytes: number;
  /** Returns whether the peer has published since the last call. */
  hasPublished(): boolean;
  /** Stops reading from the peer until `resume`. */
  pause(): void;
  resume(): void;
  /** Closes the peer at once, because its buffer is the longest and the budget is exceeded. */
  evict(): void;
}

/** Gauges and counters of an OutputBudget. */
export interface OutputBudgetStats {
  /** Bytes in all buffers when they were last counted. */
  readonly bufferedBytes: number;
  /** Number of pauses of publishers. */
  readonly pauses: number;
  /** Number of evicted peers. */
  readonly evictions: number;
}

/** Share of the budget at which publishers pause. */
const PAUSE_SHARE = 0.75;

/**
 * Share of the budget that may be sent before all buffers are counted without waiting for a tick.
 */
const CHECK_SHARE = 1 / 16;

/**
 * Limits the buffers of all peers in total; a link limits its own only. Near the limit publishers
 * pause for a tick at a time, so that readers catch up. Above it the longest buffers are evicted.
 */
export class OutputBudget {
  readonly #bytesMax: number;
  readonly #peers: () => Iterable<BufferedPeer>;
  #paused: BufferedPeer[] = [];
  #bufferedBytes = 0;
  #uncountedBytes = 0;
  #pauses = 0;
  #evictions = 0;

  /** `peers` returns the connected peers. */
  constructor(bytesMax: number, peers: () => Iterable<BufferedPeer>) {
    this.#bytesMax = bytesMax;
    this.#peers = peers;
  }

  /** Adds `bytes` bytes that were sent to peers. */
  add(bytes: number): void {
    this.#uncountedBytes += bytes;
    if (this.#uncountedBytes > this.#bytesMax * CHECK_SHARE) this.#check();
  }

  /** Resumes paused publishers, unless the budget is still exceeded. Call it regularly. */
  tick(): void {
    for (const peer of this.#paused) peer.resume();
    this.#paused = [];
    // Without output and buffers there is nothing to count.
    if (this.#uncountedBytes > 0 || this.#bufferedBytes > 0) this.#check();
  }

  stats(): OutputBudgetStats {
    return { bufferedBytes: this.#bufferedBytes, pauses: this.#pauses, evictions: this.#evictions };
  }

  #check(): void {
    this.#uncountedBytes = 0;
    this.#count();
    if (this.#bufferedBytes > this.#bytesMax) this.#evictLongest();
    if (this.#bufferedBytes >= this.#bytesMax * PAUSE_SHARE) this.#pausePublishers();
  }

  #count(): void {
    this.#bufferedBytes = 0;
    for (const peer of this.#peers()) this.#bufferedBytes += peer.bufferedBytes;
  }

  #evictLongest(): void {
    const peers = [...this.#peers()].sort((one, other) => other.bufferedBytes - one.bufferedBytes);
    for (const peer of peers) {
      if (this.#bufferedBytes <= this.#bytesMax) return;
      this.#bufferedBytes -= peer.bufferedBytes;
      this.#evictions += 1;
      peer.evict();
    }
  }

  #pausePublishers(): void {
    for (const peer of this.#peers()) {
      if (!peer.hasPublished()) continue;
      this.#pauses += 1;
      this.#paused.push(peer);
      peer.pause();
    }
  }
}
