import type { Watch } from './watch.ts';

/** How many items may still be handed out. Each watch may have its own, or several share one. */
export class Credit {
  /** Whether it comes back by itself when a lease ends; else only whoever holds it adds to it. */
  readonly refills: boolean;
  /** What it is for; the one that was served longest ago is first. */
  readonly watches: Set<Watch> = new Set();
  /** Below 0 after it was made smaller than what is in lease. */
  count = 0;

  constructor(refills: boolean) {
    this.refills = refills;
  }
}
