import { WAIT_MS } from './wait.ts';

/**
 * Checks a condition once per event-loop turn until it holds. Rejects after WAIT_MS with the
 * condition as it is written.
 */
export async function untilTurn(holds: () => boolean): Promise<void> {
  const deadline = performance.now() + WAIT_MS;
  while (!holds()) {
    if (performance.now() > deadline) {
      throw new Error(`Waited ${WAIT_MS / 1_000} s until this held: ${String(holds)}`);
    }
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}
