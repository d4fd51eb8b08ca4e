import { ALL_RUNTIMES, runtimePath } from '@groupcast/testkit';

/** Installs all runtimes before the tests, so that no test waits for a download. One that is missing fails the run. */
export async function setup(): Promise<void> {
  await Promise.all(ALL_RUNTIMES.map(runtimePath));
}
