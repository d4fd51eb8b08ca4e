/**
 * Detects when a message has reached all members of its group in this process. Knows at most
 * `window` messages of a group: number n shares its slot with n - window, which must be complete or
 * abandoned before n is sent.
 */
export class Completion {
  readonly #window: number;
  readonly #members: Int32Array;
  readonly #missing: Int32Array;
  readonly #sequences: Int32Array;
  readonly #onComplete: (group: number, sequence: number) => void;

  /** `members` has the number of members of each group here, by the group's index. */
  constructor(
    members: readonly number[],
    window: number,
    onComplete: (group: number, sequence: number) => void,
  ) {
    this.#window = window;
    this.#members = Int32Array.from(members);
    this.#missing = new Int32Array(members.length * window);
    this.#sequences = new Int32Array(members.length * window).fill(-1);
    this.#onComplete = onComplete;
  }

  /** Handles the first delivery of the message to a member of the group. */
  delivered(group: number, sequence: number): void {
    const place = group * this.#window + (sequence % this.#window);
    const known = this.#sequences[place] ?? 0;
    if (sequence < known) return;
    if (sequence > known) {
      this.#sequences[place] = sequence;
      this.#missing[place] = this.#members[group] ?? 0;
    }
    const missing = (this.#missing[place] ?? 0) - 1;
    this.#missing[place] = missing;
    if (missing === 0) this.#onComplete(group, sequence);
  }
}
