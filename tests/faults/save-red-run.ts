import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HistoryLog } from './history/history-log.ts';

/** Where the histories of red runs are kept, unless another folder is named. */
export const RED_RUNS_FOLDER: string = join(tmpdir(), 'groupcast-faults');

/** Keeps the history of a run that must be looked at, one event a line, and answers where. */
export function saveRedRun(log: HistoryLog, seed: number, folder: string = RED_RUNS_FOLDER): string {
  mkdirSync(folder, { recursive: true });
  const time = new Date().toISOString().replaceAll(/[:.]/g, '-');
  const file = join(folder, `${time}-seed-${seed}.jsonl`);
  log.save(file);
  return file;
}
