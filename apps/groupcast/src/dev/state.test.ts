import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findState, prepareStateFolder, removeState, writeState } from './state.ts';

const PORTS = { port: 1234, adminPort: 1235, hubPort: 2206, hubAdminPort: 2207 };
const STATE = { ...PORTS, pid: process.pid };

let parent: string;
let dir: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'groupcast-state-'));
  dir = join(parent, '.groupcast');
});
afterEach(() => rmSync(parent, { recursive: true }));

test('the state of a running system is found, and removed by the process that wrote it', () => {
  prepareStateFolder(dir);
  expect(findState(dir)).toBeUndefined();
  writeState(dir, STATE);
  expect(findState(dir)).toEqual(STATE);
  removeState(dir, process.pid + 1);
  expect(findState(dir)).toEqual(STATE);
  removeState(dir, process.pid);
  expect(findState(dir)).toBeUndefined();
});

test('a folder that was open to other users is closed', () => {
  mkdirSync(dir, { mode: 0o755 });
  prepareStateFolder(dir);
  expect(statSync(dir).mode & 0o777).toBe(0o700);
});

test('a folder with other files stays as it is', () => {
  mkdirSync(dir, { mode: 0o755 });
  writeFileSync(join(dir, 'index.html'), '');
  expect(() => prepareStateFolder(dir)).toThrow(/it has another file, index\.html\. .*--dir\.$/);
  expect([statSync(dir).mode & 0o777, readdirSync(dir)]).toEqual([0o755, ['index.html']]);
});

test('a file in the place of the folder is an error that names the flag', () => {
  writeFileSync(dir, '');
  expect(() => prepareStateFolder(dir)).toThrow(/^--dir .* cannot be used for the state: .*--dir\.$/);
});

test.each([
  ['of a process that has ended', JSON.stringify({ ...STATE, pid: 2 ** 30 })],
  ['without JSON', '{'],
  ['with an invalid port', JSON.stringify({ ...STATE, hubPort: 0 })],
  ['with a process group', JSON.stringify({ ...STATE, pid: -1 })],
  ['that is too long', JSON.stringify({ ...STATE, more: 'x'.repeat(5_000) })],
])('a file %s is no state', (_name, text) => {
  prepareStateFolder(dir);
  writeFileSync(join(dir, 'dev.json'), text);
  expect(findState(dir)).toBeUndefined();
});
