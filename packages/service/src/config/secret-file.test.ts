import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ConfigError } from './config-error.ts';
import { readSecretFile } from './secret-file.ts';

const SECRET = '0123456789abcdef';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'secret-file-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(text: string, mode: number): string {
  const path = join(folder, 'secret');
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

describe('readSecretFile', () => {
  test('without a file there is no secret', () => {
    expect(readSecretFile('')).toEqual({ secret: '', warning: undefined });
  });

  test('white space around the secret does not count', () => {
    expect(readSecretFile(file(`\n ${SECRET}\r\n`, 0o600))).toEqual({ secret: SECRET, warning: undefined });
  });

  test.each([0o644, 0o640, 0o604])('mode %o gets a warning', (mode) => {
    const path = file(SECRET, mode);
    expect(readSecretFile(path)).toEqual({
      secret: SECRET,
      warning: `${path} can be read by other users; run: chmod 600 ${path}`,
    });
  });

  test.each([0o622, 0o620, 0o602, 0o666])(
    'mode %o is an error: another user could replace the secret',
    (mode) => {
      const path = file(SECRET, mode);
      expect(() => readSecretFile(path)).toThrow(`--secret-file ${path} can be written by other users`);
    },
  );

  test.each([
    ['empty', ''],
    ['one byte short', SECRET.slice(1)],
    ['white space', ' '.repeat(100)],
    ['far too long', 'x'.repeat(5_000)],
  ])('%s is rejected', (_name, text) => {
    expect(() => readSecretFile(file(text, 0o600))).toThrow(ConfigError);
  });

  test('a missing file is named', () => {
    expect(() => readSecretFile(join(folder, 'none'))).toThrow(/--secret-file .*none cannot be read: ENOENT/);
  });
});
