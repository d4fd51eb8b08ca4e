import { join } from 'node:path';
import { killAll, REPOSITORY, startProcess } from '@groupcast/testkit';
import { afterEach, expect, test } from 'vitest';

afterEach(killAll);

test('on an old Node the first step says which one is needed, and installs nothing', async () => {
  const pretend = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.9.0' } })`;
  const install = startProcess(process.execPath, [
    '--import',
    `data:text/javascript,${encodeURIComponent(pretend)}`,
    join(REPOSITORY, 'scripts', 'install.mjs'),
  ]);
  expect(await install.finished).toEqual({ code: 1, signal: null });
  expect(install.stderr).toBe(
    'Groupcast needs Node 20.20.2 or newer; this is 20.9.0. Install it from https://nodejs.org.\n',
  );
  expect(install.stdout).toBe('');
});
