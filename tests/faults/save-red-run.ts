import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HistoryLog } from './history/history-log.ts';

/** Default folder of the histories of red runs. */
export const RED_RUNS_FOLDER: string = join(tmpdir(), 'groupcast-faults');

/** Stores the history of a red run, one event per line, and returns the file. */
export function saveRedRun(log: HistoryLog, seed: number, folder: string = RED_RUNS_FOLDER): string {
  mkdirSync(folder, { recursive: true });
  const time = new Date().toISOString().replaceAll(/[:.]/g, '-');
  const file = join(folder, `${time}-seed-${seed}.jsonl`);
  log.save(file);
  return file;
}
