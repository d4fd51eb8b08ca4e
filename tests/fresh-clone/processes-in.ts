import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/**
 * Lists live processes that run in a folder or were started from it: pid and command line. Linux
 * only.
 */
export function processesIn(folder: string): Map<number, string> {
  const found = new Map<number, string>();
  for (const pid of readdirSync('/proc').map(Number)) {
    if (Number.isNaN(pid) || pid === process.pid) continue;
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      // The kernel gives no command line for those that have ended and are only waited for.
      if (command === '') continue;
      if (command.includes(folder) || `${readlinkSync(`/proc/${pid}/cwd`)}/`.startsWith(`${folder}/`))
        found.set(pid, command);
    } catch {
      // It ended while the list was read.
    }
  }
  return found;
}
