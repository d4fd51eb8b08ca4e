import { readFileSync } from 'node:fs';

/**
 * Returns the limit of open files of this process, sockets included; Infinity where it is unknown.
 * Beyond it Node closes new connections silently, so a service must keep below it.
 */
export function openFilesMax(): number {
  try {
    return openFilesMaxIn(readFileSync('/proc/self/limits', 'utf8'));
  } catch {
    // Only Linux has this file.
    return Number.POSITIVE_INFINITY;
  }
}

/** Returns the soft limit in a text like that of /proc/self/limits. */
export function openFilesMaxIn(limits: string): number {
  const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
  return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft);
}
