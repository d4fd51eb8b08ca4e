import { expect, test } from 'vitest';
import { ServerProbe } from './server-probe.ts';

const FILES: Readonly<Record<string, string>> = {
  '/proc/12/stat': '12 (a (b) c) S 1 12 12 0 -1 4194560 100 0 0 0 250 50 7 8 20 0 1 0 100 1000 200',
  '/proc/12/status': 'Name:\ta\nVmPeak:\t  9999 kB\nVmRSS:\t    2048 kB\nThreads:\t1\n',
  '/proc/13/stat': '13 (node) R 1 13 13 0 -1 4194560 100 0 0 0 100 100 0 0 20 0 11 0 100 1000 200',
  '/proc/13/status': 'Name:\tnode\nVmRSS:\t    1024 kB\n',
  '/proc/14/stat': '14 (gone) Z 1 14 14 0 -1 4194560 100 0 0 0 1 1 0 0 20 0 1 0 100 0 0',
  '/proc/14/status': 'Name:\tgone\nState:\tZ (zombie)\n',
};

function readFile(path: string): string {
  const text = FILES[path];
  if (text === undefined) throw new Error(`ENOENT ${path}`);
  return text;
}

test('CPU and memory are the sum over the processes, with any names', () => {
  expect(new ServerProbe([12, 13], readFile).read()).toEqual({ cpuSeconds: 5, rssBytes: 3 * 1024 * 1024 });
  expect(new ServerProbe([14], readFile).read()).toEqual({ cpuSeconds: 0.02, rssBytes: 0 });
});

test('a missing process is an error', () => {
  expect(() => new ServerProbe([12, 99], readFile).read()).toThrow(/Process 99 of --pids/);
});

test('reads this process on Linux', { skip: process.platform !== 'linux' }, () => {
  const { cpuSeconds, rssBytes } = new ServerProbe([process.pid]).read();
  expect(cpuSeconds).toBeGreaterThan(0);
  expect(rssBytes / process.memoryUsage.rss()).toBeGreaterThan(0.5);
});
