import { constants } from 'node:os';
import { hasTerminal } from '../cli/terminal.ts';
import type { Logger } from '../log/logger.ts';

/** A signal that asks the process to end. SIGHUP does when the terminal was closed. */
type EndSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

/** Actions of a service on signals. */
export interface SignalHandling {
  /** Drains and ends the service. Called once, on the first signal that asks for it. */
  drain(signal: EndSignal): Promise<void>;
  /**
   * Called on SIGHUP, but not during a drain. If the terminal of the process was closed, SIGHUP
   * drains the service: no key could end it any more. Without `reload`, SIGHUP ends the process, as
   * by default.
   */
  reload?(): void | Promise<void>;
  readonly log: Pick<Logger, 'info' | 'error'>;
  /**
   * Time for `drain`, in milliseconds; then the process ends with code 1. Read when the drain
   * begins: a reload may change it.
   */
  readonly deadlineMs: number;
}

const EXIT_FAILED = 1;

/** Meaning of the exit codes of a service, for `--help`. */
export const START_EXIT_CODES: Readonly<Record<string, string>> = {
  0: 'Ended by a signal, after the drain.',
  1: 'An invalid option, a port that cannot be opened, or a drain that failed; stderr says which.',
  130: 'Ended at once by a second SIGINT (Ctrl-C).',
  143: 'Ended at once by a second SIGTERM.',
};

/**
 * Time in which a second signal is the same key press, in milliseconds. A terminal sends Ctrl-C to
 * every process of the command, and a wrapper (tsx watch, npm) repeats it to the service. Users are
 * slower.
 */
const SAME_PRESS_MS = 100;

/**
 * Base of exit codes for signals: shells read a code above it as "ended by the signal of that
 * number".
 */
const EXIT_SIGNAL_BASE = 128;

/**
 * Waits for the signal that ends the service, and lets it drain: running → draining → ended.
 *
 * Resolves with the exit code of the process: 0 after the drain, 1 when the drain failed. A second
 * SIGINT or SIGTERM ends the process at once with 130 or 143, except within a tenth of a second, in
 * which wrappers repeat the first one. The deadline ends it with 1. The handlers are removed at the
 * end.
 */
export function runUntilSignal(handling: SignalHandling): Promise<number> {
  const { log } = handling;
  const { promise, resolve } = deferred();
  const hadTerminal = hasTerminal();
  let draining = false;
  let drainingSinceMs = 0;

  const onHangup = (): void => {
    if (draining) return;
    if (hadTerminal && !hasTerminal()) onEnd('SIGHUP');
    else void reload(handling);
  };
  const onEnd = (signal: EndSignal): void => {
    if (draining) {
      if (performance.now() - drainingSinceMs < SAME_PRESS_MS) return;
      process.exit(EXIT_SIGNAL_BASE + constants.signals[signal]);
    }
    const { deadlineMs } = handling;
    draining = true;
    drainingSinceMs = performance.now();
    log.info({ signal, deadlineMs }, 'draining; a second signal ends the process at once');
    const timer = setTimeout(() => {
      log.error({ deadlineMs }, 'the drain took too long; the process ends without it');
      process.exit(EXIT_FAILED);
    }, deadlineMs);
    void drain(handling, signal).then((code) => {
      clearTimeout(timer);
      process.off('SIGTERM', onEnd).off('SIGINT', onEnd).off('SIGHUP', onHangup);
      resolve(code);
    });
  };

  process.on('SIGTERM', onEnd).on('SIGINT', onEnd);
  if (handling.reload !== undefined) process.on('SIGHUP', onHangup);
  return promise;
}

async function drain(handling: SignalHandling, signal: EndSignal): Promise<number> {
  try {
    await handling.drain(signal);
    handling.log.info('drained');
    return 0;
  } catch (error) {
    handling.log.error({ error }, 'the drain failed');
    return EXIT_FAILED;
  }
}

async function reload(handling: SignalHandling): Promise<void> {
  try {
    await handling.reload?.();
  } catch (error) {
    handling.log.error({ error }, 'the reload failed; the service goes on as before');
  }
}

// Promise.withResolvers is newer than the oldest supported Node.
function deferred(): { readonly promise: Promise<number>; resolve(code: number): void } {
  let resolve: (code: number) => void = () => {};
  const promise = new Promise<number>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
