/**
 * Calls code of the application: a subscriber, an answer, a listener. Its exception is thrown again
 * where nothing of this package is under way, as an uncaught exception of the process, so that it
 * neither gets lost nor disturbs anything else.
 *
 * It takes a function of two arguments because a closure for each publication would be garbage for
 * each publication.
 */
export function callUser<One, Value>(one: One, call: (one: One, value: Value) => void, value: Value): void {
  try {
    call(one, value);
  } catch (error) {
    throwUncaught(error);
  }
}

/** Calls each as `callUser` does. Those that are added meanwhile are called as well. */
export function callEachUser<One, Value>(
  all: Iterable<One>,
  call: (one: One, value: Value) => void,
  value: Value,
): void {
  for (const one of all) callUser(one, call, value);
}

/** Makes an error an uncaught exception of the process, after what runs now. */
export function throwUncaught(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
