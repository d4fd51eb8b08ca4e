/**
 * Calls user code: a subscriber, an answer, a listener. Its exception is thrown again in a
 * microtask, as an uncaught exception of the process, so that it is not lost and disturbs nothing
 * else.
 *
 * It takes a function with two arguments, because a closure per publication would be garbage per
 * publication.
 */
export function callUser<One, Value>(one: One, call: (one: One, value: Value) => void, value: Value): void {
  try {
    call(one, value);
  } catch (error) {
    throwUncaught(error);
  }
}

/** Calls each as `callUser` does, including those that are added meanwhile. */
export function callEachUser<One, Value>(
  all: Iterable<One>,
  call: (one: One, value: Value) => void,
  value: Value,
): void {
  for (const one of all) callUser(one, call, value);
}

/** Makes an error an uncaught exception of the process, in a microtask. */
export function throwUncaught(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
