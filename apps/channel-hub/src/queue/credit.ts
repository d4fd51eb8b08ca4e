import type { Watch } from './watch.ts';

/** How many items may still be handed out. Each watch may have its own, or several share one. */
export class Credit {
  /** Whether it comes back by itself when a lease ends; else only whoever holds it adds to it. */
  readonly refills: boolean;
  /** What it is for; the one that was served longest ago is first. */
  readonly watches: Set<Watch> = new Set();
  /** Below 0 after it was made smaller than what is in lease. */
  count = 0;
  /** Items in lease that it was spent on. */
  leased = 0;
  readonly #onUnused: () => void;

  /** `onUnused`: called when its last watch or lease ends, whichever is later. In the middle of things: it must do nothing with queues. */
  constructor(refills: boolean, onUnused: () => void = () => {}) {
    this.refills = refills;
    this.#onUnused = onUnused;
  }

  get isUnused(): boolean {
    return this.watches.size === 0 && this.leased === 0;
  }

  /** For Queues: a watch or lease has ended. */
  hasLost(): void {
    if (this.isUnused) this.#onUnused();
  }
}
