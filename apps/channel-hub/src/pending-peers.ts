/** How many peers of each address have still to prove who they are, so that one address cannot use up the hub. */
export class PendingPeers {
  readonly #perAddressMax: number;
  readonly #countByAddress = new Map<string, number>();
  #count = 0;

  constructor(perAddressMax: number) {
    this.#perAddressMax = perAddressMax;
  }

  get count(): number {
    return this.#count;
  }

  /** Whether there is room for one more of this address. If so, it is counted until `remove`. */
  add(address: string): boolean {
    const count = this.#countByAddress.get(address) ?? 0;
    if (count >= this.#perAddressMax) return false;
    this.#countByAddress.set(address, count + 1);
    this.#count += 1;
    return true;
  }

  remove(address: string): void {
    const count = (this.#countByAddress.get(address) ?? 0) - 1;
    if (count <= 0) this.#countByAddress.delete(address);
    else this.#countByAddress.set(address, count);
    this.#count -= 1;
  }
}
