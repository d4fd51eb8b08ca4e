import { userInfo } from 'node:os';
import { textTable } from './text-table.ts';

/** One service of the start table. */
export interface StartRow {
  /** Name of the service: `ChannelHub`. */
  readonly worker: string;
  /** Its address: `frame://127.0.0.1:2206`. */
  readonly listen: string;
  /** Number of its processes. */
  readonly processes: number;
  /** Missing part, although it accepts connections. Default: none. */
  readonly problem?: StartProblem;
}

/** Reason why a service that accepts connections cannot serve them yet. */
export interface StartProblem {
  /** Two or three words in capitals, for the column `status`. */
  readonly status: string;
  /** Says what is missing and what to do, in whole sentences. */
  readonly sentence: string;
}

/** Formats the table that a service prints once it accepts connections. `user` runs the process. */
export function startTable(rows: readonly StartRow[], user: string = currentUser()): string {
  const table = textTable(
    ['user', 'worker', 'listen', 'processes', 'status'],
    rows.map(({ worker, listen, processes, problem }) => [
      user,
      worker,
      listen,
      processes,
      `[${problem?.status ?? 'OK'}]`,
    ]),
  );
  // A service with several addresses has one problem.
  const sentences = new Set(rows.flatMap(({ problem }) => (problem === undefined ? [] : [problem.sentence])));
  const last = sentences.size === 0 ? 'Press Ctrl-C to quit. Start success.' : 'Press Ctrl-C to quit.';
  return [table, ...sentences, last].join('\n');
}

function currentUser(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run under a number that has no name in its user database.
    return String(process.getuid?.() ?? 'unknown');
  }
}
