import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Interval at which the freed memory is estimated, in milliseconds. */
const TICK_MS = 1_000;

/** Bytes of freed history below which garbage is left to V8. */
const FREED_BYTES_MIN = 32 * 1024 * 1024;

/** Part of the time in which the event loop may be busy; above it V8 soon collects by itself. */
const BUSY_SHARE_MAX = 0.1;

export interface IdleCollectorDeps {
  /** Returns the bytes of history that are kept. */
  readonly historyBytes: () => number;
  /** Returns the part of the time since the last call in which the event loop was busy, 0 to 1. */
  readonly busyShare: () => number;
  /** Collects garbage, after `freedBytes` of history have expired. */
  readonly collect: (freedBytes: number) => void;
}

/**
 * Collects garbage after much history has expired in an idle process. V8 collects only when
 * something is allocated, so the objects of expired history would stay until traffic returns.
 *
 * A collection stops the event loop for a time that grows with what is kept, about 1 ms for 1 MiB
 * of objects. Therefore at least as much must have been freed as is kept.
 */
export class IdleCollector {
  readonly #deps: IdleCollectorDeps;
  readonly #timer: NodeJS.Timeout;
  /** The most bytes since the last collection. */
  #peakBytes = 0;

  constructor(deps: IdleCollectorDeps) {
    this.#deps = deps;
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    const { historyBytes, busyShare, collect } = this.#deps;
    const isIdle = busyShare() <= BUSY_SHARE_MAX;
    const bytes = historyBytes();
    this.#peakBytes = Math.max(this.#peakBytes, bytes);
    const freedBytes = this.#peakBytes - bytes;
    if (!isIdle || freedBytes < Math.max(FREED_BYTES_MIN, bytes)) return;
    collect(freedBytes);
    this.#peakBytes = bytes;
  }
}

/** Returns a function that returns the busy part of the time between its calls. */
export function busyShareOfLoop(): () => number {
  let last = performance.eventLoopUtilization();
  return () => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, last);
    last = now;
    return utilization;
  };
}

let collectGarbage: (() => void) | undefined;

/**
 * Collects the garbage of this process, where the runtime allows that. Node.js has no function for
 * it; the flag adds one to contexts that are created afterwards. An inspector session could do the
 * same, and would load the inspector.
 */
export function collectNow(): void {
  collectGarbage ??= findCollector();
  collectGarbage();
}

function findCollector(): () => void {
  setFlagsFromString('--expose-gc');
  const found: unknown = runInNewContext('globalThis.gc');
  // Other runtimes have no such flag, and collect by themselves.
  return typeof found === 'function' ? () => void found() : () => {};
}
