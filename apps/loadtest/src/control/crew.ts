import { type ChildProcess, fork } from 'node:child_process';
import { LoadtestError } from '../loadtest-error.ts';
import type { Order, Report } from './messages.ts';

type ReportType = Report['type'];
type ReportOf<T extends ReportType> = Extract<Report, { type: T }>;

/** Argument that makes the program a generator process. */
export const GENERATOR_ARGUMENT = '--generator-process';

/** Milliseconds until a process that does not end is killed. */
const CLOSE_GRACE_MS = 10_000;

interface Hand {
  readonly child: ChildProcess;
  readonly index: number;
}

/** The generator processes of a run, and their reports. */
export class Crew {
  readonly #hands: readonly Hand[];
  readonly #received = new Map<ReportType, (Report | undefined)[]>();
  #progress: ReportOf<'progress'>[];
  #waiting: { readonly type: ReportType; readonly wake: () => void }[] = [];
  #reject: (error: Error) => void = () => {};
  /** Rejects with LoadtestError when any process fails. */
  readonly failed = new Promise<never>((_, reject) => {
    this.#reject = reject;
  });

  /** `entry` is the program's main file. */
  constructor(count: number, entry: string) {
    // Report only to the waiting caller; the error matters to no one else yet.
    this.failed.catch(() => {});
    this.#hands = Array.from({ length: count }, (_, index) => ({
      index,
      child: fork(entry, [GENERATOR_ARGUMENT], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] }),
    }));
    this.#progress = this.#hands.map(() => ({ type: 'progress', open: 0, deliveries: 0 }));
    for (const hand of this.#hands) {
      hand.child.on('message', (report: Report) => this.#take(hand, report));
      hand.child.on('error', (error) => this.#reject(crash(error.message, error)));
      hand.child.on('exit', (code, signal) => this.#reject(crash(`it ended with ${signal ?? code}`)));
    }
  }

  /** Counts of opened connections and deliveries so far, over all processes. */
  get progress(): { readonly open: number; readonly deliveries: number } {
    let open = 0;
    let deliveries = 0;
    for (const each of this.#progress) {
      open += each.open;
      deliveries += each.deliveries;
    }
    return { open, deliveries };
  }

  /** Sends the same order to all processes, or to each its own. */
  order(order: Order | ((index: number) => Order)): void {
    for (const { child, index } of this.#hands) {
      // An ended process reports itself.
      if (child.connected) child.send(typeof order === 'function' ? order(index) : order, () => {});
    }
  }

  /**
   * Waits until each process that `who` selects has sent the report, and returns the reports in the
   * order of the processes. Rejects with LoadtestError when any of them fails.
   */
  async all<T extends ReportType>(
    type: T,
    who: (index: number) => boolean = () => true,
  ): Promise<ReportOf<T>[]> {
    const wanted = this.#hands.filter(({ index }) => who(index));
    for (;;) {
      const received = this.#received.get(type) ?? [];
      const reports = wanted.flatMap(({ index }) => {
        const report = received[index];
        return report !== undefined && isOf(report, type) ? [report] : [];
      });
      if (reports.length === wanted.length) return reports;
      const more = new Promise<void>((wake) => this.#waiting.push({ type, wake }));
      await Promise.race([more, this.failed]);
    }
  }

  /** Ends all processes. Each ends when its parent disconnects; one that does not is killed. */
  async close(): Promise<void> {
    await Promise.all(this.#hands.map(({ child }) => end(child)));
  }

  #take(hand: Hand, report: Report): void {
    switch (report.type) {
      case 'progress':
        this.#progress[hand.index] = report;
        return;
      case 'complete':
        this.#hands[0]?.child.send(
          { type: 'peer-complete', group: report.group, sequence: report.sequence } satisfies Order,
          () => {},
        );
        return;
      case 'failed':
        this.#reject(new LoadtestError(report.code, report.reason));
        return;
      default: {
        const received = this.#received.get(report.type) ?? [];
        received[hand.index] = report;
        this.#received.set(report.type, received);
        const { type } = report;
        const woken = this.#waiting.filter((waiting) => waiting.type === type);
        this.#waiting = this.#waiting.filter((waiting) => waiting.type !== type);
        for (const { wake } of woken) wake();
      }
    }
  }
}

function isOf<T extends ReportType>(report: Report, type: T): report is ReportOf<T> {
  return report.type === type;
}

function crash(why: string, cause?: Error): LoadtestError {
  return new LoadtestError('setup', `A generator process failed: ${why}.`, { cause });
}

function end(child: ChildProcess): Promise<void> {
  // A process that could not start has no pid; one that has ended has a code or a signal.
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null)
    return Promise.resolve();
  return new Promise((resolve) => {
    const kill = setTimeout(() => child.kill('SIGKILL'), CLOSE_GRACE_MS);
    child.once('exit', () => {
      clearTimeout(kill);
      resolve();
    });
    if (child.connected) child.disconnect();
  });
}
