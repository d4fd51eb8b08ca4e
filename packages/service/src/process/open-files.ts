import { readFileSync } from 'node:fs';

/**
 * How many files this process may have open, sockets included; Infinity where that cannot be known. Beyond the limit Node closes new
 * connections without a word, so that a service has to stay below it by itself.
 */
export function openFilesMax(): number {
  try {
    return openFilesMaxIn(readFileSync('/proc/self/limits', 'utf8'));
  } catch {
    // Only Linux says it there.
    return Number.POSITIVE_INFINITY;
  }
}

/** The soft limit in a text like that of /proc/self/limits. */
export function openFilesMaxIn(limits: string): number {
  const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
  return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft);
}
