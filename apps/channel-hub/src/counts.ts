/** Counters by label, created with their first count. The labels must come from a closed list. */
export class Counts<Label extends string> {
  readonly #counts = new Map<Label, number>();

  add(label: Label): void {
    this.#counts.set(label, (this.#counts.get(label) ?? 0) + 1);
  }

  /** Returns the counts by label. */
  toRecord(): Readonly<Partial<Record<Label, number>>> {
    return Object.fromEntries(this.#counts) as Partial<Record<Label, number>>;
  }
}
