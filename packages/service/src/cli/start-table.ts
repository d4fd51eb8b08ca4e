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
}

/** Formats the table that a service prints once it accepts connections. `user` runs the process. */
export function startTable(rows: readonly StartRow[], user: string = currentUser()): string {
  const table = textTable(
    ['user', 'worker', 'listen', 'processes', 'status'],
    rows.map((row) => [user, row.worker, row.listen, row.processes, '[OK]']),
  );
  return `${table}\nPress Ctrl-C to quit. Start success.`;
}

function currentUser(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run under a number that has no name in its user database.
    return String(process.getuid?.() ?? 'unknown');
  }
}
