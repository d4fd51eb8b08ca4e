import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { AdminError, fetchStats } from '@groupcast/service';

/** Time between two questions whether a service listens, in milliseconds. */
const ASK_MS = 50;

/** First argument of a service, which makes it end when its parent is gone. */
export const WITH_PARENT = '--with-parent';

const EXIT_FAILED = 1;

/** Address of the admin ports. */
const LOCAL = '127.0.0.1';

/** One service of the development system, as a process. */
export interface ServiceOptions {
  /** Name of the service in its stats: `groupcast-hub`. */
  readonly name: 'groupcast-hub' | 'groupcast-gateway';
  /** Main file of this program. */
  readonly entry: string;
  readonly argv: readonly string[];
  readonly adminPort: number;
}

/** A hub or a gateway that runs as a process of its own, and ends with this one. */
export class Service {
  readonly name: string;
  /** Resolves with the exit code, or the signal, when the process is gone. */
  readonly ended: Promise<number | NodeJS.Signals>;
  readonly #options: ServiceOptions;
  readonly #child: ChildProcess;
  #isRunning = true;

  constructor(options: ServiceOptions) {
    this.#options = options;
    this.name = options.name;
    // A process group of its own: Ctrl-C reaches this program only, which stops its services once,
    // and in order. They end on their own if this process is killed: their channel is closed then.
    this.#child = fork(options.entry, [WITH_PARENT, ...options.argv], {
      detached: true,
      // Its start table goes nowhere: there is one table of both. Logs and errors are on stderr.
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.ended = this.#end();
  }

  /** Resolves with its address when the service is ready; with `undefined` if it ended before. */
  async ready(): Promise<string | undefined> {
    while (this.#isRunning) {
      const address = await Promise.race([this.#address(), this.ended.then(() => undefined)]);
      if (address !== undefined) return address;
      await Promise.race([this.ended, setTimeout(ASK_MS)]);
    }
    return undefined;
  }

  /** Stops the service gracefully, and resolves when it is gone. A second call ends it at once. */
  async stop(): Promise<void> {
    if (this.#isRunning) this.#child.kill('SIGTERM');
    await this.ended;
  }

  async #end(): Promise<number | NodeJS.Signals> {
    try {
      await once(this.#child, 'exit');
      return this.#child.signalCode ?? this.#child.exitCode ?? EXIT_FAILED;
    } finally {
      this.#isRunning = false;
    }
  }

  /** Returns the address if this very process is ready, and not an older one on the same port. */
  async #address(): Promise<string | undefined> {
    const { adminPort, name } = this.#options;
    try {
      const { pid, listen } = await fetchStats<ServiceStats>(LOCAL, adminPort, name);
      if (pid !== this.#child.pid || listen === '') return undefined;
      const { ok } = await fetch(`http://${LOCAL}:${adminPort}/readyz`, { headers: { connection: 'close' } });
      return ok ? listen : undefined;
    } catch (error) {
      // Nothing answers yet, or another program does. Then the service is about to end.
      if (error instanceof AdminError || error instanceof TypeError) return undefined;
      throw error;
    }
  }
}

interface ServiceStats {
  readonly service: ServiceOptions['name'];
  readonly pid: number;
  readonly listen: string;
}
