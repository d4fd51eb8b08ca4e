import { ConfigError, type Log } from '@groupcast/service';
import { ReloadError } from './errors.ts';
import type { GatewaySettings } from './generation.ts';
import type { Primary, ReloadPhase } from './primary.ts';

/** Results of the reloads so far. */
export interface ReloadStats {
  /** 1 at the start, and one more with each successful reload. */
  readonly generation: number;
  /** `idle` when all requested reloads are done. */
  readonly state: ReloadPhase;
  /** Number of requests. Those during a reload share one more. */
  readonly asked: number;
  readonly done: number;
  readonly failed: number;
  /** Reason of the last failure, in sentences; missing after a success. */
  readonly error?: string;
}

/** Reloads one after another, each with the configuration at that time. */
export class Reloads {
  readonly #primary: Primary;
  readonly #readSettings: () => GatewaySettings;
  readonly #log: Log;
  #running = false;
  #again = false;
  #asked = 0;
  #done = 0;
  #failed = 0;
  #error: string | undefined;

  /** `readSettings` throws ConfigError for an invalid configuration. */
  constructor(primary: Primary, readSettings: () => GatewaySettings, log: Log) {
    this.#primary = primary;
    this.#readSettings = readSettings;
    this.#log = log;
  }

  stats(): ReloadStats {
    const { generation, reloadPhase } = this.#primary;
    // Between two reloads the primary is idle, and this is not.
    const state = this.#running && reloadPhase === 'idle' ? 'starting' : reloadPhase;
    const counts = { asked: this.#asked, done: this.#done, failed: this.#failed };
    const stats = { generation, state, ...counts };
    return this.#error === undefined ? stats : { ...stats, error: this.#error };
  }

  /**
   * Reloads now, or once more after the current reload. Resolves when nothing is left to do; never
   * rejects.
   */
  async ask(): Promise<void> {
    this.#asked += 1;
    this.#again = true;
    if (this.#running) return;
    this.#running = true;
    while (this.#again) {
      this.#again = false;
      await this.#reload();
    }
    this.#running = false;
  }

  async #reload(): Promise<void> {
    const startedAtMs = performance.now();
    try {
      const settings = this.#readSettings();
      this.#log.info({ workers: settings.workers }, 'reloading: new workers start');
      await this.#primary.reload(settings);
      this.#done += 1;
      this.#error = undefined;
      const { generation } = this.#primary;
      this.#log.info({ generation, ms: Math.round(performance.now() - startedAtMs) }, 'reloaded');
    } catch (error) {
      this.#failed += 1;
      const problems = problemsOf(error);
      this.#error = problems.join(' ');
      const fields =
        error instanceof ConfigError || error instanceof ReloadError ? { code: error.code } : { error };
      for (const problem of problems) this.#log.error(fields, `not reloaded: ${problem}`);
    }
  }
}

function problemsOf(error: unknown): readonly string[] {
  if (error instanceof ConfigError) return error.problems;
  return [error instanceof Error ? error.message : String(error)];
}
