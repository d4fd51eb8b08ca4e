/** Steps of one slice: some milliseconds, so that other connections are served in between. */
const SLICE_STEPS = 500;

/** Makes the steps of a job, each of which is one call of `next`. */
export type Job = () => Iterator<unknown>;

interface Running {
  steps: Iterator<unknown>;
  /** Job to begin after this one: it was added again meanwhile. */
  next: Job | undefined;
}

/**
 * Jobs with many steps, of which each event-loop turn does a bounded number. A job that is added
 * again while it runs begins once more afterwards.
 */
export class SlicedJobs {
  readonly #running = new Map<string, Running>();
  #turn: NodeJS.Immediate | undefined;

  /** Number of jobs that are not finished. */
  get size(): number {
    return this.#running.size;
  }

  /** Adds a job. Its first steps are in the next turn. */
  add(key: string, job: Job): void {
    const known = this.#running.get(key);
    if (known !== undefined) known.next = job;
    else this.#running.set(key, { steps: job(), next: undefined });
    this.#turn ??= setImmediate(() => this.#doSlice());
  }

  /** Drops what is not done. */
  close(): void {
    clearImmediate(this.#turn);
    this.#turn = undefined;
    this.#running.clear();
  }

  #doSlice(): void {
    this.#turn = undefined;
    for (let left = SLICE_STEPS; left > 0; left--) {
      const [first] = this.#running;
      if (first === undefined) return;
      const [key, running] = first;
      if (running.steps.next().done !== true) continue;
      if (running.next === undefined) this.#running.delete(key);
      else {
        running.steps = running.next();
        running.next = undefined;
      }
    }
    // A step may have closed it, or added a job.
    if (this.#running.size > 0) this.#turn ??= setImmediate(() => this.#doSlice());
  }
}
