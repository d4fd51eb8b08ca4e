import type { WorkerReport } from './messages.ts';

interface Round {
  readonly reports: WorkerReport[];
  missing: number;
  readonly finish: () => void;
}

/**
 * Asks all workers at the same time, and returns the reports that arrive in time: a hung worker
 * must not block the admin port.
 */
export class Reports {
  readonly #rounds = new Map<number, Round>();
  #lastRequest = 0;

  /** `ask` sends the request number to the workers, and returns how many can receive it. */
  collect(ask: (request: number) => number, timeoutMs: number): Promise<WorkerReport[]> {
    const request = ++this.#lastRequest;
    return new Promise((resolve) => {
      const reports: WorkerReport[] = [];
      const finish = (): void => {
        clearTimeout(timer);
        this.#rounds.delete(request);
        resolve(reports);
      };
      const timer = setTimeout(finish, timeoutMs);
      const round: Round = { reports, missing: 0, finish };
      this.#rounds.set(request, round);
      round.missing = ask(request);
      if (round.missing === 0) finish();
    });
  }

  receive(request: number, report: WorkerReport): void {
    const round = this.#rounds.get(request);
    if (round === undefined) return;
    round.reports.push(report);
    round.missing -= 1;
    if (round.missing === 0) round.finish();
  }
}
