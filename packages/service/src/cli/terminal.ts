import { closeSync, openSync } from 'node:fs';

/**
 * Returns whether this process still has a controlling terminal: only then its name can be opened.
 */
export function hasTerminal(path: string = '/dev/tty'): boolean {
  try {
    closeSync(openSync(path, 'r'));
    return true;
  } catch {
    return false;
  }
}
