import { GroupcastError } from '../groupcast-error.ts';
import { badOption, checkWhole } from '../options.ts';

/** The part of an AbortSignal that is used. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

export interface CallOptions {
  /** Rejects the call with the signal's reason, unless it is settled before. */
  readonly signal?: AbortSignalLike | undefined;
  /** Milliseconds until the call is rejected with `timeout`: a whole number. Default: no limit of its own. */
  readonly timeoutMs?: number | undefined;
}

/** A promise that its owner settles, and that a signal or a time limit cancels before. */
export interface Call<Value> {
  readonly promise: Promise<Value>;
  /** Resolves the promise; or rejects it, when it is given a promise that rejects. */
  settle(value: Value | Promise<never>): void;
}

/** Opens a call whose options are checked. `cancel` gets the reason; it is to settle the call. */
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
 * Checks the options of a call, and runs it. Rejects with the reason of a signal that is aborted, and with a GroupcastError that
 * `run` throws; anything else that is thrown comes of an argument, and is the cause of a `bad_option`.
 */
export function attempt<Value>(options: CallOptions, run: () => Promise<Value>): Promise<Value> {
  try {
    const { signal, timeoutMs = 1 } = options;
    checkWhole('timeoutMs', timeoutMs);
    if (signal?.aborted !== true) return run();
    return ignoreRejection(Promise.reject(signal.reason));
  } catch (cause) {
    const isKnown = cause instanceof GroupcastError;
    return Promise.reject(isKnown ? cause : badOption('See the cause.', cause));
  }
}

/** Keeps a rejection that the application asked for from being reported as unhandled. */
export function ignoreRejection<Value>(promise: Promise<Value>): Promise<Value> {
  promise.catch(() => {});
  return promise;
}
