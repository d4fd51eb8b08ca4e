import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findProgram } from '../find-program.ts';
import { makeServiceFiles, runApp } from './check-config.ts';
import { readDeployFile } from './deploy-file.ts';
import { withoutDeployPrograms } from './programs.ts';

/** Highest exposure of a unit, in tenths of the scale of `systemd-analyze security`. */
const EXPOSURE_TENTHS_MAX = 20;
const UNITS = ['groupcast-hub.service', 'groupcast-gateway.service'];

describe.skipIf(withoutDeployPrograms)('the units of deploy/systemd', () => {
  let folder: string;
  beforeAll(() => {
    folder = makeServiceFiles();
    mkdirSync(join(folder, 'units'));
    for (const unit of UNITS) {
      // verify looks for the program.
      const text = readDeployFile(`systemd/${unit}`).replaceAll('/usr/bin/node', process.execPath);
      writeFileSync(join(folder, 'units', unit), text);
    }
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  function analyze(...args: readonly string[]) {
    const { status, stdout, stderr } = spawnSync(findProgram('systemd-analyze')!, args, { encoding: 'utf8' });
    return { status, output: `${stdout}${stderr}` };
  }

  test.each(UNITS)('%s has no fault', (unit) => {
    expect(analyze('verify', '--man=no', join(folder, 'units', unit))).toEqual({ status: 0, output: '' });
  });

  test.each(UNITS)('%s is hardened', (unit) => {
    const threshold = `--threshold=${EXPOSURE_TENTHS_MAX}`;
    const { status, output } = analyze('security', '--offline=yes', threshold, join(folder, 'units', unit));
    expect({ status, output }).toMatchObject({ status: 0 });
  });

  test.each([['hub.json', 'channel-hub'] as const, ['gateway.json', 'ws-gateway'] as const])(
    '%s is accepted by check-config',
    (file, app) => {
      const text = readDeployFile(`systemd/${file}`).replaceAll('/etc/groupcast', folder);
      writeFileSync(join(folder, file), text);
      runApp(app, ['check-config', '--config', join(folder, file)]);
    },
  );
});
