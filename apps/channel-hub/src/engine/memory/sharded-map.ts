/** A power of two. A million names make shards of 16,384, which are moved in a millisecond. */
const SHARDS = 64;

/**
 * A Map by name, in parts. A Map that grows past its room, or has too many holes, moves to a larger one all at once: with a
 * million names that holds the event loop for a tenth of a second and more.
 */
export class ShardedMap<Value> {
  readonly #shards: readonly Map<string, Value>[] = Array.from({ length: SHARDS }, () => new Map());
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(name: string): Value | undefined {
    return this.#shard(name)?.get(name);
  }

  set(name: string, value: Value): void {
    const shard = this.#shard(name);
    const before = shard?.size ?? 0;
    shard?.set(name, value);
    this.#size += (shard?.size ?? 0) - before;
  }

  delete(name: string): void {
    if (this.#shard(name)?.delete(name)) this.#size -= 1;
  }

  #shard(name: string): Map<string, Value> | undefined {
    let sum = 0;
    for (let index = 0; index < name.length; index++) sum = (Math.imul(sum, 31) + name.charCodeAt(index)) | 0;
    return this.#shards[(sum ^ (sum >>> 6) ^ (sum >>> 12)) & (SHARDS - 1)];
  }
}
