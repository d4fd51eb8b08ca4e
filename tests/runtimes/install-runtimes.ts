import { ALL_RUNTIMES, runtimePath } from '@groupcast/testkit';

/** Installs all runtimes, so that no test waits for a download. A missing one fails the run. */
export async function setup(): Promise<void> {
  await Promise.all(ALL_RUNTIMES.map(runtimePath));
}
