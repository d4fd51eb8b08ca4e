/** Findings that are kept; one defect makes thousands. */
const FINDINGS_MAX = 20;

/** What a run did, so that one that did nothing is not taken for a good one. */
export class FuzzReport {
  readonly findings: string[] = [];
  readonly #ends = new Map<string, number>();
  frames = 0;
  /** Publications, deliveries and items done at the hubs. */
  published = 0;
  delivered = 0;
  done = 0;
  /** Frames that fuzzed peers got. */
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

  /** A session ended. */
  ended(end: string): void {
    this.#ends.set(end, this.endedAs(end) + 1);
  }

  endedAs(end: string): number {
    return this.#ends.get(end) ?? 0;
  }

  /** `seed`: the round's. `lastFrames`: what was sent before, the last one last. */
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
