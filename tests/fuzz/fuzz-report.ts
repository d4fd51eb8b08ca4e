/** Limit of stored findings; one defect makes thousands. */
const FINDINGS_MAX = 20;

/** Counts of a run, so that an idle run does not pass as a good one. */
export class FuzzReport {
  readonly findings: string[] = [];
  readonly #ends = new Map<string, number>();
  frames = 0;
  /** Publications, deliveries and done items at the hubs. */
  published = 0;
  delivered = 0;
  done = 0;
  /** Frames that fuzzed peers received. */
  received = 0;

  add(round: {
    readonly frames: number;
    readonly published: number;
    readonly delivered: number;
    readonly done: number;
  }): void {
    this.frames += round.frames;
    this.published += round.published;
    this.delivered += round.delivered;
    this.done += round.done;
  }

  /** Counts the end of a peer. */
  ended(end: string): void {
    this.#ends.set(end, this.endedAs(end) + 1);
  }

  endedAs(end: string): number {
    return this.#ends.get(end) ?? 0;
  }

  /** `seed` is the round's; `lastFrames` are the frames before it, the latest last. */
  finding(seed: number, what: string, lastFrames: readonly string[] = []): void {
    if (this.findings.length >= FINDINGS_MAX) return;
    this.findings.push(`seed ${seed}: ${what}\n  after ${lastFrames.join('\n        ')}`);
  }

  toString(): string {
    const { frames, published, delivered, done, received } = this;
    const counts = { frames, published, delivered, done, received, ...Object.fromEntries(this.#ends) };
    return Object.entries(counts)
      .map(([what, count]) => `${what} ${count.toLocaleString('en')}`)
      .join(', ');
  }
}
