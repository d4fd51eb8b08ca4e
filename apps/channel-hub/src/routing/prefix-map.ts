const NOTHING: readonly never[] = [];

/**
 * Values by prefix, and the question which prefixes a name begins with. It costs one look-up for each length that
 * occurs among the prefixes, at most 261, however many prefixes there are.
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

  /** The values of all prefixes that `name` begins with; a prefix begins with itself. */
  matching(name: string): readonly Value[] {
    if (this.#values.size === 0) return NOTHING;
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
