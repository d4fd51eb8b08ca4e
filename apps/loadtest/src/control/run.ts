import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Clock } from '../clock.ts';
import { LoadtestError } from '../loadtest-error.ts';
import { type ProcessPlan, planProcesses, type Settings } from '../plan.ts';
import type { RunReport } from '../report/result.ts';
import { Crew } from './crew.ts';
import type { ResultReport } from './messages.ts';
import { ServerProbe, type ServerReading } from './server-probe.ts';
import { summarize } from './summarize.ts';
import { findTarget } from './target.ts';

/** Environment of a run, besides its settings. */
export interface RunOptions {
  readonly url: string;
  readonly settings: Settings;
  /** Processes of the server on this machine. When empty, the server's cost is not measured. */
  readonly pids: readonly number[];
  /** Main file of the program, which starts the generator processes. */
  readonly entry: string;
  /** Ends the run early, with the measurements so far. */
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
}

/** Progress of a run. */
export interface Progress {
  readonly phase: 'opening' | 'warming up' | 'measuring' | 'draining';
  /** Fraction from 0 to 1. */
  readonly share: number;
  readonly open: number;
  readonly deliveries: number;
}

const PROGRESS_MS = 200;
const MICROS_PER_MILLI = 1_000;
const MICROS_PER_SECOND = 1_000_000;

/** Runs a load test from start to end. Rejects with LoadtestError. */
export async function runLoadtest(options: RunOptions): Promise<RunReport> {
  const target = await findTarget(options.url);
  const plans = planProcesses(options.settings);
  const crew = new Crew(plans.length, options.entry);
  try {
    const run = new Run(options, plans, crew);
    const groupPrefix = `load-${randomBytes(4).toString('hex')}`;
    const { settings } = options;
    crew.order((index) => {
      const plan = plans[index];
      if (plan === undefined) throw new Error(`no plan for process ${index}`);
      return {
        type: 'assign',
        assignment: { settings, plan, target, groupPrefix, epochNs: String(run.epochNs) },
      };
    });
    await crew.all('ready');
    return await run.measure();
  } finally {
    await crew.close();
  }
}

/** Cost of the server at the start and the end of the measured time. */
interface WindowReadings {
  readonly begun: ServerReading | undefined;
  readonly ended: ServerReading | undefined;
}

class Run {
  readonly epochNs = process.hrtime.bigint();
  readonly #options: RunOptions;
  readonly #plans: readonly ProcessPlan[];
  readonly #crew: Crew;
  readonly #clock: Clock;
  readonly #probe: ServerProbe | undefined;
  #phase: Progress['phase'] = 'opening';
  #startUs = 0;
  /** End of the measured time; null: when all messages are complete. */
  #endUs: number | null = null;

  constructor(options: RunOptions, plans: readonly ProcessPlan[], crew: Crew) {
    this.#options = options;
    this.#plans = plans;
    this.#crew = crew;
    this.#clock = new Clock(this.epochNs);
    this.#probe = options.pids.length === 0 ? undefined : new ServerProbe(options.pids);
  }

  async measure(): Promise<RunReport> {
    const { signal } = this.#options;
    const stop = (): void => {
      this.#endUs = Math.min(this.#endUs ?? Number.POSITIVE_INFINITY, this.#clock.nowUs());
      this.#crew.order({ type: 'stop', endUs: this.#endUs });
    };
    signal.addEventListener('abort', stop, { once: true });
    const ticker = setInterval(() => this.#tellProgress(), PROGRESS_MS);
    try {
      return await this.#measure();
    } finally {
      clearInterval(ticker);
      signal.removeEventListener('abort', stop);
    }
  }

  async #measure(): Promise<RunReport> {
    const { settings, url, pids, signal } = this.#options;
    if (signal.aborted) throw new LoadtestError('setup', 'Interrupted before the first measurement.');
    const before = this.#probe?.read();
    this.#crew.order({ type: 'open' });
    const opened = await this.#crew.all('opened');
    const joined = this.#probe?.read();
    const sends = settings.scenario !== 'idle' && settings.scenario !== 'storm';
    const { begun, ended } = sends && !signal.aborted ? await this.#exchange() : await this.#stand();
    const results = await this.#drain();
    const lastUs = Math.max(...results.map((result) => result.lastDeliveryUs));
    return summarize({
      url,
      settings,
      pids,
      opened,
      results,
      seconds: Math.max(0, (this.#endUs ?? lastUs) - this.#startUs) / MICROS_PER_SECOND,
      readings: { before, joined, begun, ended },
      interrupted: signal.aborted,
    });
  }

  /** Sends and receives during the measured time. */
  async #exchange(): Promise<WindowReadings> {
    const { warmupSeconds, seconds, messages } = this.#options.settings;
    const byTime = messages === 0;
    this.#startUs = this.#clock.nowUs() + (byTime ? warmupSeconds * MICROS_PER_SECOND : 0);
    this.#endUs = byTime ? this.#startUs + seconds * MICROS_PER_SECOND : null;
    this.#phase = 'warming up';
    this.#crew.order({ type: 'count', startUs: this.#startUs, endUs: this.#endUs });
    await this.#crew.all('counting');
    this.#crew.order({ type: 'send' });
    await this.#waitUntil(this.#startUs);
    this.#phase = 'measuring';
    const begun = this.#probe?.read();
    if (this.#endUs === null) await this.#crew.all('stopped', (index) => this.#publishes(index));
    else await this.#waitUntil(this.#endUs);
    const ended = this.#probe?.read();
    return { begun, ended };
  }

  /** Keeps the connections open; with `idle` for the requested time. */
  async #stand(): Promise<WindowReadings> {
    const { scenario, seconds } = this.#options.settings;
    this.#phase = 'measuring';
    this.#startUs = this.#clock.nowUs();
    const stands = scenario === 'idle' && !this.#options.signal.aborted;
    this.#endUs = this.#startUs + (stands ? seconds * MICROS_PER_SECOND : 0);
    await this.#waitUntil(this.#endUs);
    return { begun: undefined, ended: this.#probe?.read() };
  }

  async #drain(): Promise<ResultReport[]> {
    this.#phase = 'draining';
    this.#crew.order({ type: 'stop', endUs: this.#endUs });
    const stopped = await this.#crew.all('stopped');
    const published = Array.from({ length: this.#options.settings.groups }, () => 0);
    for (const report of stopped) for (const [group, count] of report.published) published[group] = count;
    this.#crew.order({ type: 'drain', published });
    return await this.#crew.all('result');
  }

  #publishes(index: number): boolean {
    return (this.#plans[index]?.publishes.length ?? 0) > 0;
  }

  /** Returns early when the run is interrupted. */
  async #waitUntil(timeUs: number): Promise<void> {
    const { signal } = this.#options;
    const ms = Math.max(0, (timeUs - this.#clock.nowUs()) / MICROS_PER_MILLI);
    const over = new AbortController();
    try {
      const waited = sleep(ms, undefined, { signal: AbortSignal.any([signal, over.signal]) });
      await Promise.race([waited.catch(() => {}), this.#crew.failed]);
    } finally {
      over.abort();
    }
  }

  #tellProgress(): void {
    const { open, deliveries } = this.#crew.progress;
    const shares: Record<Progress['phase'], number> = {
      opening: open / connectionCount(this.#plans),
      'warming up': 0,
      measuring: this.#measuredShare(),
      draining: 1,
    };
    this.#options.onProgress({
      phase: this.#phase,
      share: Math.min(1, shares[this.#phase]),
      open,
      deliveries,
    });
  }

  #measuredShare(): number {
    const { settings } = this.#options;
    if (this.#endUs !== null) {
      return (this.#clock.nowUs() - this.#startUs) / Math.max(1, this.#endUs - this.#startUs);
    }
    return (this.#crew.progress.deliveries * settings.groups) / (settings.messages * settings.members);
  }
}

function connectionCount(plans: readonly ProcessPlan[]): number {
  return plans.reduce((sum, plan) => sum + plan.memberGroups.length + plan.publisherCount, 0);
}
