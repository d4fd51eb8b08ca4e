import { setTimeout as delay } from 'node:timers/promises';
import { inspect } from 'node:util';
import { WAIT_MS } from './wait.ts';

const STEP_MS = 10;

/**
 * Looks again and again until what the probe answers holds (default: is truthy), and resolves with
 * it. Only for what has no event. A probe that throws is asked again. Rejects after WAIT_MS, with
 * `what` was waited for (a function is asked at the end) and what was seen last.
 */
export async function until<T>(
  probe: () => T | Promise<T>,
  what: string | (() => string),
  holds: (seen: T) => boolean = Boolean,
): Promise<T> {
  const deadline = performance.now() + WAIT_MS;
  for (;;) {
    let last: unknown;
    try {
      const seen = await probe();
      if (holds(seen)) return seen;
      last = seen;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline) {
      const wanted = typeof what === 'string' ? what : what();
      throw new Error(`Waited ${WAIT_MS / 1_000} s for ${wanted}. Last seen: ${inspect(last)}`);
    }
    await delay(STEP_MS);
  }
}
