/** Comes back at the latest after this, so that the peers of a hub do not all return in one moment, in milliseconds. */
const RECONNECT_AFTER_MS_MAX = 1_000;

/** Somebody who can be asked to leave. */
export interface Leaver {
  /** Asks the peer to leave, and to come back after so many milliseconds. Whether it could be asked. */
  askToLeave(reconnectAfterMs: number): boolean;
}

/** How a drain went. */
export interface DrainCounts {
  /** Peers that were asked to leave. */
  readonly asked: number;
  /** Those of them that left in time. */
  readonly left: number;
}

/** Waits for peers that were asked to leave, until all of them have left or the window is over. */
export class Drain<Peer extends Leaver> {
  /** When the waiting is over. */
  readonly ended: Promise<void>;
  readonly #staying = new Set<Peer>();
  readonly #timer: NodeJS.Timeout;
  #resolve: () => void = () => {};
  #asked = 0;
  #left = 0;

  /** `windowMs`: how long they may take, in milliseconds. */
  constructor(windowMs: number) {
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.#timer = setTimeout(() => this.end(), windowMs);
  }

  get counts(): DrainCounts {
    return { asked: this.#asked, left: this.#left };
  }

  /** After how many milliseconds the peer was told to come back; undefined where it could not be told. */
  ask(peer: Peer): number | undefined {
    const reconnectAfterMs = Math.floor(Math.random() * (RECONNECT_AFTER_MS_MAX + 1));
    if (!peer.askToLeave(reconnectAfterMs)) return undefined;
    this.#asked += 1;
    this.#staying.add(peer);
    return reconnectAfterMs;
  }

  /** The peer is gone, whether it was asked or not. */
  gone(peer: Peer): void {
    if (!this.#staying.delete(peer)) return;
    this.#left += 1;
    this.endIfEmpty();
  }

  /** Waits no longer when nobody has to be waited for: for after the last `ask`. */
  endIfEmpty(): void {
    if (this.#staying.size === 0) this.end();
  }

  /** Waits no longer. */
  end(): void {
    clearTimeout(this.#timer);
    this.#staying.clear();
    this.#resolve();
  }
}
