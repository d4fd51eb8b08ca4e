import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '@groupcast/service';
import { certificateFile } from '@groupcast/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { GATEWAY_OPTIONS } from '../config.ts';
import { program } from './program.ts';

/** Runs a command, and returns its exit code and the lines that it wrote to stderr. */
async function run(command: string, flags: readonly string[]): Promise<[code: number, problems: string[]]> {
  const problems: string[] = [];
  const code = await runCommand(
    program,
    [command, ...flags],
    {},
    {
      print: () => {},
      printError: (text) => void problems.push(text),
      readFile: () => '',
    },
  );
  return [code, problems];
}

function fileWith(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'groupcast-prepare-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'file');
  writeFileSync(file, text, { mode: 0o600 });
  return file;
}

test.each([
  ['a missing secret file', ['--secret-file=/nowhere/secret'], /\/nowhere\/secret cannot be read: ENOENT/],
  ['a missing CA', ['--hub-tls', '--hub-tls-ca-file=/nowhere/ca'], /\/nowhere\/ca cannot be read: ENOENT/],
  ['a certificate without its key', ['--hub-tls', '--hub-tls-cert-file=/nowhere/c'], /-file go together/],
  ['one port twice', ['--admin-port=1234'], /--port and --admin-port are both 1234/],
  [
    'a buffer below a message',
    ['--client-buffer-bytes=65536', '--message-bytes-max=65537', '--group-bytes-burst=1'],
    /--message-bytes-max is 65537/,
  ],
])('check-config and start report %s, with the same sentence', async (_name, flags, sentence) => {
  const [code, problems] = await run('check-config', flags);
  expect([code, problems]).toEqual([1, [expect.stringMatching(sentence)]]);
  expect(await run('start', flags)).toEqual([1, problems]);
});

test('check-config rejects files for TLS that TLS does not use', async () => {
  const [code, problems] = await run('check-config', [`--hub-tls-ca-file=${certificateFile('ca.pem')}`]);
  expect([code, problems]).toEqual([1, [expect.stringMatching(/give --hub-tls as well/)]]);
});

test('check-config reports every problem at once', async () => {
  const [code, problems] = await run('check-config', [
    ...['--port=7', '--admin-port=7', '--secret-file=/nowhere/secret', '--hub-tls', '--hub-tls-key-file=k'],
  ]);
  expect(code).toBe(1);
  expect(problems).toHaveLength(3);
});

test('check-config prints the warnings of a start', async () => {
  const secret = fileWith('a secret of sixteen bytes or more');
  const [code, problems] = await run('check-config', ['--hub=10.0.0.5:2206', `--secret-file=${secret}`]);
  expect(code).toBe(0);
  expect(problems).toEqual([
    expect.stringMatching(/^warning: The secret is used with the hub at 10\.0\.0\.5/),
  ]);
});

test('the help of each option is one short text', () => {
  for (const [name, { describe }] of Object.entries(GATEWAY_OPTIONS)) {
    expect(describe, name).toMatch(/^[A-Z].{10,99}[.]$/);
  }
});
