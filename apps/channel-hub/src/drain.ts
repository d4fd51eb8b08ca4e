/**
 * Maximum delay before a peer reconnects, in milliseconds. Random delays up to it spread the peers
 * of a hub over time.
 */
const RECONNECT_AFTER_MS_MAX = 1_000;

/** A peer that can be asked to leave. */
export interface Drainable {
  /**
   * Asks the peer to leave, and to reconnect after `reconnectAfterMs` milliseconds. Returns false
   * if it cannot be asked.
   */
  askToLeave(reconnectAfterMs: number): boolean;
}

/** Result of a drain. */
export interface DrainCounts {
  /** Peers that were asked to leave. */
  readonly asked: number;
  /** Peers among them that left in time. */
  readonly left: number;
}

/** Waits until all peers that were asked to leave have left, or a window has passed. */
export class Drain<Peer extends Drainable> {
  /** Resolves when the drain has ended. */
  readonly ended: Promise<void>;
  readonly #staying = new Set<Peer>();
  readonly #timer: NodeJS.Timeout;
  #resolve: () => void = () => {};
  #asked = 0;
  #left = 0;

  /** `windowMs`: the longest time that peers may take, in milliseconds. */
  constructor(windowMs: number) {
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.#timer = setTimeout(() => this.end(), windowMs);
  }

  get counts(): DrainCounts {
    return { asked: this.#asked, left: this.#left };
  }

  /**
   * Asks a peer. Returns the delay of its reconnect in milliseconds; undefined if it cannot be
   * asked.
   */
  ask(peer: Peer): number | undefined {
    const reconnectAfterMs = Math.floor(Math.random() * (RECONNECT_AFTER_MS_MAX + 1));
    if (!peer.askToLeave(reconnectAfterMs)) return undefined;
    this.#asked += 1;
    this.#staying.add(peer);
    return reconnectAfterMs;
  }

  /** Records that a peer has left, whether it was asked or not. */
  gone(peer: Peer): void {
    if (!this.#staying.delete(peer)) return;
    this.#left += 1;
    this.endIfEmpty();
  }

  /** Ends the drain if no peer stays. Call it after the last `ask`. */
  endIfEmpty(): void {
    if (this.#staying.size === 0) this.end();
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#staying.clear();
    this.#resolve();
  }
}
