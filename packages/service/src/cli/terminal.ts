import { closeSync, openSync } from 'node:fs';

/** Whether this process has a controlling terminal that is still there: its name can be opened for nobody else. */
export function hasTerminal(path: string = '/dev/tty'): boolean {
  try {
    closeSync(openSync(path, 'r'));
    return true;
  } catch {
    return false;
  }
}
