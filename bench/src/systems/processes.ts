import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { startProcess, type TestProcess } from '@groupcast/testkit';

const START_MS = 20_000;
const POLL_MS = 50;

/** A running server. */
export interface Running {
  readonly pids: readonly number[];
  stop(): Promise<void>;
}

/**
 * Starts a program, and waits until `ready` is true. When it fails, the error has the end of its
 * stderr. An interrupted run leaves no server behind.
 */
export async function start(
  command: string,
  args: readonly string[],
  ready: () => Promise<boolean>,
  options: { readonly cwd?: string } = {},
): Promise<Running> {
  const server = new Server(startProcess(command, args, options));
  for (let waitedMs = 0; !(await ready()); waitedMs += POLL_MS) {
    if (server.failure !== undefined || waitedMs > START_MS) {
      server.kill();
      throw new Error(`${command} did not start: ${server.failure ?? server.stderr}`);
    }
    await sleep(POLL_MS);
  }
  return { pids: server.pids(), stop: () => server.stop() };
}

class Server {
  /** End of a server that was not stopped. */
  failure: string | undefined;
  readonly #process: TestProcess;

  constructor(started: TestProcess) {
    this.#process = started;
    void started.exited.then(({ code, signal }) => {
      this.failure = `it ended by itself (${signal ?? code}). ${this.stderr}`;
    });
  }

  get stderr(): string {
    return this.#process.stderr.slice(-2_000);
  }

  pids(): number[] {
    return [this.#process.pid, ...this.#process.descendants()];
  }

  kill(): void {
    for (const pid of this.pids()) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended by itself.
      }
    }
  }

  async stop(): Promise<void> {
    if (this.failure !== undefined) throw new Error(`A server failed: ${this.failure}`);
    this.kill();
    await this.#process.exited;
  }
}

/** Whether a port of this machine accepts connections. */
export function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

/** Stops two servers, the second one even if the first has ended by itself. */
export function stopBoth(first: Running, second: Running): () => Promise<void> {
  return async () => {
    try {
      await first.stop();
    } finally {
      await second.stop();
    }
  };
}
