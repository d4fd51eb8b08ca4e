import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const START_MS = 20_000;
const POLL_MS = 50;

/** A running server. */
export interface Running {
  readonly pids: readonly number[];
  stop(): Promise<void>;
}

/** Below the ports that the kernel gives to clients, of which a load has tens of thousands. */
const PORT_MIN = 20_000;
const PORT_MAX = 32_000;

/** Returns a port that was free a moment ago. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = PORT_MIN + Math.floor(Math.random() * (PORT_MAX - PORT_MIN));
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, () => server.close(() => resolve(true)));
  });
}

const children = new Set<ChildProcess>();

// An interrupted run must not leave servers behind.
process.once('exit', () => {
  for (const child of children) killTree(child);
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

/**
 * Starts a program, and waits until `ready` is true. Its output is dropped; when it fails, the
 * error has its stderr.
 */
export async function start(
  command: string,
  args: readonly string[],
  ready: () => Promise<boolean>,
  options: { readonly cwd?: string } = {},
): Promise<Running> {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'], ...options });
  children.add(child);
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
  return { pids: treeOf(child.pid ?? 0), stop: () => stop(child, () => said) };
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

async function stop(child: ChildProcess, said: () => string): Promise<void> {
  children.delete(child);
  if (child.exitCode !== null || child.signalCode !== null)
    throw new Error(`A server ended by itself (${child.signalCode ?? child.exitCode}). ${said()}`);
  const gone = new Promise((resolve) => child.once('exit', resolve));
  killTree(child);
  await gone;
}

function killTree(child: ChildProcess): void {
  for (const pid of treeOf(child.pid ?? 0)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }
}

/** Returns a process and its descendants. */
function treeOf(pid: number): number[] {
  let children = '';
  try {
    children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  } catch {
    // It has ended.
  }
  return [pid, ...children.split(' ').filter(Boolean).map(Number).flatMap(treeOf)];
}
