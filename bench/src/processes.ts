import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const START_MS = 20_000;
const POLL_MS = 50;

/** A server that runs for a while. */
export interface Running {
  readonly pids: readonly number[];
  stop(): Promise<void>;
}

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** Starts a program, and waits until `ready` is true. Its output goes nowhere; when it fails, what it said on stderr is in the error. */
export async function start(
  command: string,
  args: readonly string[],
  ready: () => Promise<boolean>,
  options: { readonly cwd?: string } = {},
): Promise<Running> {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'], ...options });
  let said = '';
  let failure: string | undefined;
  child.stderr.on('data', (chunk) => {
    said = `${said}${chunk}`.slice(-2_000);
  });
  child.on('error', (error) => {
    failure = error.message;
  });
  child.on('exit', (code) => {
    failure ??= `exit code ${code}. ${said}`;
  });
  for (let waitedMs = 0; !(await ready()); waitedMs += POLL_MS) {
    if (failure !== undefined || waitedMs > START_MS) {
      child.kill('SIGKILL');
      throw new Error(`${command} did not start: ${failure ?? said}`);
    }
    await sleep(POLL_MS);
  }
  return { pids: treeOf(child.pid ?? 0), stop: () => stop(child) };
}

/** Whether somebody listens on a port of this machine. */
export function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

async function stop(child: ChildProcess): Promise<void> {
  const pids = treeOf(child.pid ?? 0);
  const gone = child.exitCode === null ? new Promise((resolve) => child.once('exit', resolve)) : undefined;
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has gone by itself.
    }
  }
  await gone;
}

/** A process and all that it has started. */
function treeOf(pid: number): number[] {
  let children = '';
  try {
    children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  } catch {
    // It has gone.
  }
  return [pid, ...children.split(' ').filter(Boolean).map(Number).flatMap(treeOf)];
}
