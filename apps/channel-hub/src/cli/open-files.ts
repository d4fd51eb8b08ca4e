import { readFileSync } from 'node:fs';

/** Files that are kept for everything but peers: the admin port, logs, the engine. */
const OPEN_FILES_SPARE = 64;

/**
 * How many peers the limit of open files leaves room for; Infinity where it cannot be known. Beyond that limit Node would close
 * new connections without a word, and the hub could neither count nor log them.
 */
export function sessionsThatFit(): number {
  const limit = openFilesMax(readLimits());
  return limit === undefined ? Number.POSITIVE_INFINITY : Math.max(1, limit - OPEN_FILES_SPARE);
}

/** The soft limit in a text like that of /proc/self/limits. */
export function openFilesMax(limits: string): number | undefined {
  const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
  return soft === undefined ? undefined : Number(soft);
}

function readLimits(): string {
  try {
    return readFileSync('/proc/self/limits', 'utf8');
  } catch {
    // Only Linux says it there.
    return '';
  }
}
