/** A peer that has not shown yet who it is. */
export interface PendingPeer {
  readonly address: string;
  /** Gives it a time within which it must do so, unless it has one. */
  hurry(): void;
  /** Closes it: another one needs its place. It must `remove` itself. */
  evict(): void;
}

/**
 * The peers that have not shown yet who they are, oldest first. Those that must prove it take one of a few places of their address: when
 * these are all taken, the oldest goes, so that silent ones never keep out one that means it.
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

  /** Places that are taken. */
  get count(): number {
    return this.#count;
  }

  add(peer: PendingPeer): void {
    this.#all.add(peer);
    this.#unhurried.add(peer);
  }

  /** The peer must prove itself from now on. Evicts the oldest of its address where there is no place. */
  takePlace(peer: PendingPeer): void {
    let places = this.#placesByAddress.get(peer.address);
    if (places?.has(peer)) return;
    const [oldest] = places ?? [];
    if (oldest !== undefined && places !== undefined && places.size >= this.#perAddressMax) oldest.evict();
    // With the oldest the last one of the address may have gone.
    places = this.#placesByAddress.get(peer.address) ?? new Set();
    this.#placesByAddress.set(peer.address, places.add(peer));
    this.#count += 1;
  }

  /** It has shown who it is, or is gone. */
  remove(peer: PendingPeer): void {
    this.#all.delete(peer);
    this.#unhurried.delete(peer);
    const places = this.#placesByAddress.get(peer.address);
    if (!places?.delete(peer)) return;
    this.#count -= 1;
    if (places.size === 0) this.#placesByAddress.delete(peer.address);
  }

  /** Hurries all, those as well that need not prove anything and may otherwise be silent for as long as they like. */
  hurry(): void {
    for (const peer of this.#unhurried) peer.hurry();
    this.#unhurried.clear();
  }

  /** Evicts the oldest of all. Returns whether there was one. */
  evictOldest(): boolean {
    const [oldest] = this.#all;
    oldest?.evict();
    return oldest !== undefined;
  }
}
