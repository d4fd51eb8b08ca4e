import { readFileSync } from 'node:fs';
import { LoadtestError } from '../loadtest-error.ts';

/** What the processes of the server took until a moment. */
export interface ServerReading {
  /** User and system time of all threads, in seconds. */
  readonly cpuSeconds: number;
  readonly rssBytes: number;
}

/** Linux counts a process's time in hundredths of a second, whatever the kernel's own clock is. */
const TICKS_PER_SECOND = 100;

const KIB = 1024;

/** Fields of /proc/PID/stat after the name, which may hold anything and ends with the last parenthesis. */
const USER_TICKS_FIELD = 11;
const SYSTEM_TICKS_FIELD = 12;

/** Reads what processes take from /proc; `readFile` is for tests. */
export class ServerProbe {
  readonly pids: readonly number[];
  readonly #readFile: (path: string) => string;

  constructor(pids: readonly number[], readFile = (path: string): string => readFileSync(path, 'latin1')) {
    this.pids = pids;
    this.#readFile = readFile;
  }

  /** The sum over all processes. Throws LoadtestError `setup` when one of them is gone. */
  read(): ServerReading {
    let ticks = 0;
    let rssKib = 0;
    for (const pid of this.pids) {
      try {
        ticks += cpuTicks(this.#readFile(`/proc/${pid}/stat`));
        rssKib += residentKib(this.#readFile(`/proc/${pid}/status`));
      } catch (cause) {
        const message = `Process ${pid} of --pids cannot be read in /proc: give the pids of a server that runs on this machine, on Linux.`;
        throw new LoadtestError('setup', message, { cause });
      }
    }
    return { cpuSeconds: ticks / TICKS_PER_SECOND, rssBytes: rssKib * KIB };
  }
}

function cpuTicks(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[USER_TICKS_FIELD]) + Number(fields[SYSTEM_TICKS_FIELD]);
}

function residentKib(status: string): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  // A process that has ended, and whose parent has not looked yet, has no memory.
  return kib === undefined ? 0 : Number(kib);
}
