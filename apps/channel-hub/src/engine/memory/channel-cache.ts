import { randomInt } from 'node:crypto';
import type { ChannelHistory } from './channel-history.ts';

/** A power of two: many more than channels are busy at a time. */
const SLOTS = 65_536;

/**
 * Streams by the bytes of their channels' names as they are read, so that no text is made for each publication. It is a help and not a truth: each
 * stream has one place, the last one used has it, and whoever does not find a stream here must look for it by name. So names that
 * somebody made to collide cost no more than that.
 */
export class ChannelCache {
  readonly #streams: (ChannelHistory | undefined)[] = new Array<undefined>(SLOTS).fill(undefined);
  readonly #seed: number = randomInt(2 ** 31);

  find(bytes: Uint8Array, start: number, length: number): ChannelHistory | undefined {
    let hash = this.#seed;
    for (let at = start; at < start + length; at++) hash = mixed(hash, bytes[at] ?? 0);
    const stream = this.#streams[slotOf(hash)];
    return stream?.isNamed(bytes, start, length) ? stream : undefined;
  }

  put(stream: ChannelHistory): void {
    if (stream.cacheSlot < 0) stream.cacheSlot = this.#slotOf(stream.nameKey);
    this.#streams[stream.cacheSlot] = stream;
  }

  /** One that is not here is no error. */
  remove(stream: ChannelHistory): void {
    if (this.#streams[stream.cacheSlot] === stream) this.#streams[stream.cacheSlot] = undefined;
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
