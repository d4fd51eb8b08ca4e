import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HUB_CLIENT_DEFAULTS } from '@groupcast/hub-client';
import { isErrorCode } from '@groupcast/protocol';
import { killAll, REPOSITORY, startHub, startProcess, type TestProcess } from '@groupcast/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';

const readme = readFileSync(join(REPOSITORY, 'packages/hub-client/README.md'), 'utf8');

/** The examples go on from each other: together they are one program. */
const program = [...readme.matchAll(/^```ts\n(.*?)^```/gms)].map(([, code]) => code).join('\n');

let folder: string;

beforeAll(() => {
  // Below tests/, so that the packages of the workspace are found.
  const cache = join(REPOSITORY, 'tests/node_modules/.cache');
  mkdirSync(cache, { recursive: true });
  folder = mkdtempSync(join(cache, 'readme-'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
});
afterAll(async () => {
  await killAll();
  rmSync(folder, { recursive: true, force: true });
});

/** The rows of the table that begins with this cell, as cells. */
function rowsOf(heading: string): string[][] {
  const table = readme.split('\n\n').find((part) => part.startsWith(`| ${heading} `)) ?? '';
  const cells = (line: string): string[] =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim());
  return table.trimEnd().split('\n').slice(2).map(cells);
}

function runNode(...args: string[]): TestProcess {
  return startProcess(process.execPath, args, { cwd: folder });
}

test('the examples compile', async () => {
  writeFileSync(join(folder, 'types.ts'), program);
  const compilerOptions = { types: ['node'] };
  const config = { extends: join(REPOSITORY, 'tsconfig.base.json'), compilerOptions, include: ['types.ts'] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  const child = runNode(join(REPOSITORY, 'node_modules/typescript/bin/tsc'), '-p', '.');
  expect(await child.finished, child.stdout).toEqual({ code: 0, signal: null });
});

test('the examples do what the README says', async () => {
  const hub = await startHub();
  writeFileSync(join(folder, 'program.ts'), program.replace('port: 2206', `port: ${hub.port}`));
  const child = runNode('--import', 'tsx', 'program.ts');
  await child.waitForLine(/^send /);
  await child.waitForLine(/^bad_channel /);
  child.kill('SIGTERM');
  expect(await child.finished, child.stderr).toEqual({ code: 0, signal: null });
  expect(child.stdout.trimEnd().split('\n').sort()).toEqual([
    'bad_channel A channel name must be 1 to 320 bytes of UTF-8 without control characters.',
    "ban { address: '203.0.113.0/24' }",
    "ban { group: 'room', uid: 'carl' }",
    "ban { uid: 'dora' }",
    'newest {"uid":"ann"}',
    'news 1 hello',
    'news 2 ann is typing',
    'news 2 {"title":"hi"}',
    'online ann here',
    'online ann undefined',
    'published at 1',
    'recovered 2',
    'send {"to":"a@example.com"}',
  ]);
  expect(child.stderr).toBe('');
});

test('the table of options has each option with its default', () => {
  const rows = new Map(rowsOf('option').map(([option = '', byDefault]) => [option, byDefault]));
  expect([...rows.keys()].sort()).toEqual(
    Object.keys(HUB_CLIENT_DEFAULTS)
      .map((name) => `\`${name}\``)
      .sort(),
  );
  for (const [name, value] of Object.entries(HUB_CLIENT_DEFAULTS)) {
    if (typeof value === 'number') expect(rows.get(`\`${name}\``), name).toBe(value.toLocaleString('en'));
  }
});

test('the table of errors has codes that there are', () => {
  const codes = rowsOf('code').map(([code = '']) => code.replaceAll('`', ''));
  expect(codes.length).toBeGreaterThan(10);
  for (const code of codes) expect(isErrorCode(code), code).toBe(true);
});
