import { randomInt } from 'node:crypto';
import type { ChannelHistory } from './channel-history.ts';

/** A power of two, far above the number of busy channels. */
const SLOTS = 65_536;

/**
 * Channels by the bytes of their names as they are read, so that no string is made for each
 * publication. Only a cache: each channel has one slot, the last channel used has it, and a channel
 * that is not found must be looked up by name. Names that collide on purpose cost no more than
 * that.
 */
export class ChannelCache {
  readonly #channels: (ChannelHistory | undefined)[] = new Array<undefined>(SLOTS).fill(undefined);
  readonly #seed: number = randomInt(2 ** 31);

  find(bytes: Uint8Array, start: number, length: number): ChannelHistory | undefined {
    let hash = this.#seed;
    for (let at = start; at < start + length; at++) hash = mixed(hash, bytes[at] ?? 0);
    const history = this.#channels[slotOf(hash)];
    return history?.isNamed(bytes, start, length) ? history : undefined;
  }

  put(history: ChannelHistory): void {
    if (history.cacheSlot < 0) history.cacheSlot = this.#slotOf(history.nameKey);
    this.#channels[history.cacheSlot] = history;
  }

  /** Removing a channel that is not cached is allowed. */
  remove(history: ChannelHistory): void {
    if (this.#channels[history.cacheSlot] === history) this.#channels[history.cacheSlot] = undefined;
  }

  #slotOf(key: string): number {
    let hash = this.#seed;
    for (let index = 0; index < key.length; index++) hash = mixed(hash, key.charCodeAt(index));
    return slotOf(hash);
  }
}

function mixed(hash: number, byte: number): number {
  return Math.imul(hash ^ byte, 0x01000193);
}

function slotOf(hash: number): number {
  return (hash ^ (hash >>> 16)) & (SLOTS - 1);
}
