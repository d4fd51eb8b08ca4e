/** Rejected handshakes of one address. */
export interface RejectedAddress {
  readonly address: string;
  /** Handshakes rejected since the start of a worker, or a few more. */
  readonly rejected: number;
}

/** Addresses that are counted. Clients may come from any number of them. */
const ADDRESSES_MAX = 32;

/** Addresses that are reported. */
const REPORTED_MAX = 10;

/**
 * Counts rejected handshakes by address, in bounded memory. A new address takes the place and the
 * count of the least frequent one, so that a frequent one is never missing (the algorithm is
 * "space saving" of Metwally, Agrawal and El Abbadi).
 */
export class RejectedAddresses {
  readonly #counts = new Map<string, number>();

  add(address: string): void {
    const counts = this.#counts;
    let count = counts.get(address) ?? 0;
    if (count === 0 && counts.size >= ADDRESSES_MAX) {
      const least = [...counts].reduce((one, other) => (other[1] < one[1] ? other : one));
      counts.delete(least[0]);
      count = least[1];
    }
    counts.set(address, count + 1);
  }

  /** Returns the most frequent addresses, most frequent first. */
  top(): readonly RejectedAddress[] {
    return topOf(Array.from(this.#counts, ([address, rejected]) => ({ address, rejected })));
  }
}

/** Adds up the counts of several workers. */
export function mergeRejected(lists: readonly (readonly RejectedAddress[])[]): readonly RejectedAddress[] {
  const sums = new Map<string, number>();
  for (const { address, rejected } of lists.flat()) {
    sums.set(address, (sums.get(address) ?? 0) + rejected);
  }
  return topOf(Array.from(sums, ([address, rejected]) => ({ address, rejected })));
}

function topOf(rows: readonly RejectedAddress[]): readonly RejectedAddress[] {
  return rows.toSorted((one, other) => other.rejected - one.rejected).slice(0, REPORTED_MAX);
}
