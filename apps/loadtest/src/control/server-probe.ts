import { readFileSync } from 'node:fs';
import { LoadtestError } from '../loadtest-error.ts';

/** Cost of the server's processes until a moment. */
export interface ServerReading {
  /** User and system time of all threads, in seconds. */
  readonly cpuSeconds: number;
  readonly rssBytes: number;
}

/** Clock ticks per second: Linux reports process times in hundredths of a second. */
const TICKS_PER_SECOND = 100;

const KIB = 1024;

/**
 * Fields of /proc/PID/stat after the name. The name may contain anything and ends with the last
 * parenthesis.
 */
const USER_TICKS_FIELD = 11;
const SYSTEM_TICKS_FIELD = 12;

/** Reads the cost of processes from /proc. `readFile` is for tests. */
export class ServerProbe {
  readonly pids: readonly number[];
  readonly #readFile: (path: string) => string;

  constructor(pids: readonly number[], readFile = (path: string): string => readFileSync(path, 'latin1')) {
    this.pids = pids;
    this.#readFile = readFile;
  }

  /**
   * Returns the sum over all processes. Throws LoadtestError `setup` when one of them has ended.
   */
  read(): ServerReading {
    let ticks = 0;
    let rssKib = 0;
    for (const pid of this.pids) {
      try {
        ticks += cpuTicks(this.#readFile(`/proc/${pid}/stat`));
        rssKib += residentKib(this.#readFile(`/proc/${pid}/status`));
      } catch (cause) {
        const message = `Process ${pid} of --pids cannot be read in /proc. Give the pids of a server on this machine (Linux).`;
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
  // A process that has ended, but that its parent has not reaped, has no memory.
  return kib === undefined ? 0 : Number(kib);
}
