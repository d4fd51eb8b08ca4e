/** Checks a condition once per event-loop turn until it holds. The test's timeout is the limit. */
export async function untilTurn(holds: () => boolean): Promise<void> {
  while (!holds()) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}
