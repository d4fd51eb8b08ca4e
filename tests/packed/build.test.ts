import { execFileSync } from 'node:child_process';
import { closeSync, fstatSync, openSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from '@groupcast/testkit';
import { expect, test } from 'vitest';

test('a build replaces a program at once: what was opened before is read to its end', () => {
  const cwd = join(REPOSITORY, 'apps/channel-hub');
  const build = (): unknown =>
    execFileSync(process.execPath, [join(REPOSITORY, 'scripts/bundle.mjs')], { cwd });
  build();
  const main = join(cwd, 'dist/main.js');
  const whole = readFileSync(main, 'utf8');
  const opened = openSync(main, 'r');
  try {
    build();
    expect(readFileSync(opened, 'utf8')).toBe(whole);
    expect(statSync(main).ino).not.toBe(fstatSync(opened).ino);
  } finally {
    closeSync(opened);
  }
});
