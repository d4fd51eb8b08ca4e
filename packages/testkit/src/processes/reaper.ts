import { type ChildProcess, spawn } from 'node:child_process';
import type { Writable } from 'node:stream';

// Runs in a process of its own. Its input ends when the test runner does, however that ended, and
// what the runner had not cleared away by then is killed.
const PROGRAM = `
  const groups = new Set();
  const lines = require('node:readline').createInterface({ input: process.stdin });
  lines.on('line', (line) => {
    if (line[0] === '+') groups.add(Number(line.slice(1)));
    else groups.delete(Number(line.slice(1)));
  });
  lines.on('close', () => {
    for (const group of groups) try { process.kill(-group, 'SIGKILL'); } catch {}
  });
`;

let reaper: ChildProcess | undefined;

/** From now on the process group dies with this process, even if that is killed. */
export function bindToThisProcess(group: number): void {
  reaper ??= startReaper();
  reaper.stdin?.write(`+${group}\n`);
}

/** The process group is gone, and its number may be another's soon. */
export function unbind(group: number): void {
  reaper?.stdin?.write(`-${group}\n`);
}

function startReaper(): ChildProcess {
  const child = spawn(process.execPath, ['-e', PROGRAM], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  // Neither the process nor its pipe may keep the runner alive.
  child.unref();
  (child.stdin as Writable & { unref(): void }).unref();
  return child;
}
