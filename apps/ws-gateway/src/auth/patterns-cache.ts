import { type Can, GroupPatterns } from './group-patterns.ts';

/** Different `can` that are kept; with more roles, some tokens have a copy of their own. */
const ENTRIES_MAX = 256;

/** The patterns of recent tokens. Users with the same `can` share one object. */
export class PatternsCache {
  /** The last one used is at the end. */
  readonly #byText = new Map<string, GroupPatterns>();

  get(can: Can): GroupPatterns {
    const text = JSON.stringify(can);
    const patterns = this.#byText.get(text) ?? new GroupPatterns(can);
    this.#byText.delete(text);
    if (this.#byText.size >= ENTRIES_MAX) this.#removeOldest();
    this.#byText.set(text, patterns);
    return patterns;
  }

  #removeOldest(): void {
    const [oldest] = this.#byText.keys();
    if (oldest !== undefined) this.#byText.delete(oldest);
  }
}
