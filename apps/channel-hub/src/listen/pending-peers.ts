/** A peer that has not authenticated. */
export interface PendingPeer {
  readonly address: string;
  /** Starts its deadline for authentication, unless it has one. */
  hurry(): void;
  /** Closes it, because another peer needs its place. It must call `remove` itself. */
  evict(): void;
}

/**
 * The peers that have not authenticated, oldest first. Those that must authenticate take one of a
 * few places of their address. When all are used, the oldest peer is evicted, so that silent peers
 * never keep out one that authenticates.
 */
export class PendingPeers {
  readonly #perAddressMax: number;
  readonly #all = new Set<PendingPeer>();
  readonly #unhurried = new Set<PendingPeer>();
  readonly #placesByAddress = new Map<string, Set<PendingPeer>>();
  #count = 0;

  constructor(perAddressMax: number) {
    this.#perAddressMax = perAddressMax;
  }

  /** Number of peers with a place. */
  get count(): number {
    return this.#count;
  }

  add(peer: PendingPeer): void {
    this.#all.add(peer);
    this.#unhurried.add(peer);
  }

  /**
   * Gives the peer, which must authenticate now, a place; evicts the oldest of its address if
   * needed.
   */
  takePlace(peer: PendingPeer): void {
    let places = this.#placesByAddress.get(peer.address);
    if (places?.has(peer)) return;
    const [oldest] = places ?? [];
    if (oldest !== undefined && places !== undefined && places.size >= this.#perAddressMax) oldest.evict();
    // The oldest may have been the only one of the address.
    places = this.#placesByAddress.get(peer.address) ?? new Set();
    this.#placesByAddress.set(peer.address, places.add(peer));
    this.#count += 1;
  }

  /** Removes a peer that has authenticated, or has left. */
  remove(peer: PendingPeer): void {
    this.#all.delete(peer);
    this.#unhurried.delete(peer);
    const places = this.#placesByAddress.get(peer.address);
    if (!places?.delete(peer)) return;
    this.#count -= 1;
    if (places.size === 0) this.#placesByAddress.delete(peer.address);
  }

  /** Hurries all peers, including trusted ones, which otherwise may be silent without a limit. */
  hurry(): void {
    for (const peer of this.#unhurried) peer.hurry();
    this.#unhurried.clear();
  }

  /** Evicts the oldest peer of all. Returns false if there exists. */
  evictOldest(): boolean {
    const [oldest] = this.#all;
    oldest?.evict();
    return oldest !== undefined;
  }
}
