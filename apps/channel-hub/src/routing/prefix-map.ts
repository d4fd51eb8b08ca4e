const NO_VALUES: readonly never[] = [];

/**
 * A map by prefix that finds all prefixes of a name. A search costs one look-up for each distinct
 * length of a prefix, at most 320, however many prefixes there are.
 */
export class PrefixMap<Value> {
  readonly #values = new Map<string, Value>();
  readonly #countByLength = new Map<number, number>();

  get size(): number {
    return this.#values.size;
  }

  get(prefix: string): Value | undefined {
    return this.#values.get(prefix);
  }

  set(prefix: string, value: Value): void {
    if (!this.#values.has(prefix)) this.#count(prefix.length, 1);
    this.#values.set(prefix, value);
  }

  delete(prefix: string): void {
    if (this.#values.delete(prefix)) this.#count(prefix.length, -1);
  }

  /** Returns the values of all prefixes of `name`, `name` itself included. */
  matching(name: string): readonly Value[] {
    if (this.#values.size === 0) return NO_VALUES;
    const found: Value[] = [];
    for (const length of this.#countByLength.keys()) {
      if (length > name.length) continue;
      const value = this.#values.get(name.slice(0, length));
      if (value !== undefined) found.push(value);
    }
    return found;
  }

  #count(length: number, change: 1 | -1): void {
    const count = (this.#countByLength.get(length) ?? 0) + change;
    if (count === 0) this.#countByLength.delete(length);
    else this.#countByLength.set(length, count);
  }
}
