import { randomInt } from 'node:crypto';
import { native } from '@groupcast/protocol';
import { PublisherShare } from './channel-history.ts';

/** A power of two: two publishers rarely have one share. */
const SHARES = 4_096;

/** Smallest difference of sizes, in bytes. */
const UNIT_BYTES = 1_024;

/** Bins for sizes up to 2^31 units, four for each power of two. */
const BINS = 124;

/**
 * Memory by publisher. A publisher is identified by its sender, or without one by its peer. It has
 * one of a fixed number of shares, by an unpredictable hash. Shares are in bins by their size, so
 * that one of the largest, to within a fourth, is found without a search.
 */
export class PublisherShares {
  readonly #seed: number = randomInt(2 ** 31);
  readonly #byKey: (PublisherShare | undefined)[] = new Array<undefined>(SHARES).fill(undefined);
  readonly #all: PublisherShare[] = [];
  readonly #bins: readonly Set<PublisherShare>[] = Array.from({ length: BINS }, () => new Set());
  // No share is in a higher bin.
  #topBin = 0;

  /** All shares that were ever used. */
  get all(): readonly PublisherShare[] {
    return this.#all;
  }

  /** Returns the share of the sender of the publication at `start`, or of the peer `publisher`. */
  of(bytes: Uint8Array, start: number, publisher: number): PublisherShare {
    const at = native.senderAt(bytes, start);
    const end = at + native.senderLengthAt(bytes, start);
    let hash = this.#seed;
    if (at === end) hash = mixed(hash, publisher);
    for (let index = at; index < end; index++) hash = mixed(hash, bytes[index] ?? 0);
    // The low bits of the sum do not depend on the high bits of the inputs.
    const key = (hash ^ (hash >>> 15)) & (SHARES - 1);
    return this.#byKey[key] ?? this.#add(key);
  }

  /** Adds `bytes`, or subtracts them, to the size of a share. */
  addBytes(share: PublisherShare, bytes: number): void {
    share.bytes += bytes;
    const bin = share.bytes === 0 ? -1 : binOf(share.bytes);
    if (bin === share.bin) return;
    this.#bins[share.bin]?.delete(share);
    this.#bins[bin]?.add(share);
    share.bin = bin;
    this.#topBin = Math.max(this.#topBin, bin);
  }

  /** Returns one of the largest shares, to within a fourth; undefined if all are empty. */
  largest(): PublisherShare | undefined {
    while (this.#topBin > 0 && this.#bins[this.#topBin]?.size === 0) this.#topBin -= 1;
    return this.#bins[this.#topBin]?.values().next().value;
  }

  #add(key: number): PublisherShare {
    const share = new PublisherShare();
    this.#byKey[key] = share;
    this.#all.push(share);
    return share;
  }
}

function mixed(hash: number, value: number): number {
  return Math.imul(hash ^ value, 0x01000193);
}

/**
 * The first four units have a bin each; above, the power of two and the next two bits select it.
 */
function binOf(bytes: number): number {
  const units = Math.floor(bytes / UNIT_BYTES);
  if (units < 4) return units;
  const power = 31 - Math.clz32(units);
  return 4 * (power - 1) + ((units >>> (power - 2)) & 3);
}
