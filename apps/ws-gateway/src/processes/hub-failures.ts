import type { Log } from '@groupcast/service';

/** Reason why a worker is not connected to the hub. */
export interface HubProblem {
  readonly code: string;
  /** One sentence with the hub's address, or more. */
  readonly message: string;
}

interface Repetition {
  readonly code: string;
  attempts: number;
  /** Seconds until the attempts are reported. */
  secondsLeft: number;
}

const REPORT_SECONDS = 60;

/** Different messages that are counted at a time. Further ones share the last count. */
const MESSAGES_MAX = 16;

/**
 * Log of failed connections of the workers to the hub. Every worker retries every few seconds: a
 * message is logged at once, and then each minute with a count. The next outage is logged at once.
 */
export class HubFailures {
  readonly #log: Log;
  /** Last problem of each worker that is not connected. */
  readonly #problems = new Map<object, HubProblem>();
  readonly #repetitions = new Map<string, Repetition>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** Last problem while a worker is not connected. */
  get problem(): HubProblem | undefined {
    return [...this.#problems.values()].at(-1);
  }

  /** Records the failure of an attempt, or the loss of the connection. */
  failed(worker: object, problem: HubProblem): void {
    // The last problem of all is the last in the map.
    this.#problems.delete(worker);
    this.#problems.set(worker, problem);
    const { code, message } = problem;
    const repetition = this.#repetitions.get(message);
    if (repetition !== undefined) repetition.attempts += 1;
    else if (this.#repetitions.size < MESSAGES_MAX) {
      this.#repetitions.set(message, { code, attempts: 0, secondsLeft: REPORT_SECONDS });
      this.#log.warn({ code }, message);
    } else {
      const last = [...this.#repetitions.values()].at(-1);
      if (last !== undefined) last.attempts += 1;
    }
  }

  /** Records that a worker is connected, or has ended. */
  settled(worker: object): void {
    this.#problems.delete(worker);
    if (this.#problems.size === 0) this.#repetitions.clear();
  }

  /** Called once a second. Reports the repetitions of the last minute. */
  tick(): void {
    for (const [message, repetition] of this.#repetitions) {
      repetition.secondsLeft -= 1;
      if (repetition.secondsLeft > 0) continue;
      const { code, attempts } = repetition;
      if (attempts === 0) {
        this.#repetitions.delete(message);
        continue;
      }
      repetition.secondsLeft = REPORT_SECONDS;
      repetition.attempts = 0;
      const fields = { code, attempts, workers: this.#problems.size };
      this.#log.warn(fields, `${message} Failed ${attempts} more times in the last ${REPORT_SECONDS} s.`);
    }
  }
}
