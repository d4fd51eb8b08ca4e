import { GroupcastError } from '../groupcast-error.ts';
import { badOption, checkWhole } from '../options.ts';

/** The used part of an AbortSignal. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

export interface CallOptions {
  /** Rejects the pending call with the signal's reason. */
  readonly signal?: AbortSignalLike | undefined;
  /** Milliseconds until the pending call rejects with `timeout`, an integer. Default: no limit. */
  readonly timeoutMs?: number | undefined;
}

/** A promise that its owner settles, and that a signal or a timeout can cancel before. */
export interface Call<Value> {
  readonly promise: Promise<Value>;
  /** Resolves the promise, or rejects it when `value` is a rejected promise. */
  settle(value: Value | Promise<never>): void;
}

/** Opens a call with valid options. `cancel` receives the reason and settles the call. */
export function openCall<Value>(
  { signal, timeoutMs }: CallOptions,
  cancel: (reason: unknown) => void,
): Call<Value> {
  let resolve: (value: Value | Promise<never>) => void = () => {};
  const promise = new Promise<Value>((given) => {
    resolve = given;
  });
  const abort = (): void => {
    ignoreRejection(promise);
    cancel(signal?.reason);
  };
  const expire = (): void => cancel(new GroupcastError('timeout', `It took longer than ${timeoutMs} ms.`));
  const timer = timeoutMs === undefined ? undefined : setTimeout(expire, timeoutMs);
  signal?.addEventListener('abort', abort);
  const settle = (value: Value | Promise<never>): void => {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
    resolve(value);
  };
  return { promise, settle };
}

/**
 * Checks the options of a call and runs it. Rejects with the reason of an aborted signal, or with a
 * GroupcastError from `run`. Any other exception has its origin in an argument, and is the cause of
 * a `bad_option`.
 */
export function attempt<Value>(options: CallOptions, run: () => Promise<Value>): Promise<Value> {
  try {
    const { signal, timeoutMs } = options;
    checkWhole('timeoutMs', timeoutMs);
    if (signal?.aborted !== true) return run();
    return ignoreRejection(Promise.reject(signal.reason));
  } catch (cause) {
    const isKnown = cause instanceof GroupcastError;
    return Promise.reject(isKnown ? cause : badOption('See the cause.', cause));
  }
}

/** Keeps a requested rejection from being reported as unhandled. */
export function ignoreRejection<Value>(promise: Promise<Value>): Promise<Value> {
  promise.catch(() => {});
  return promise;
}
