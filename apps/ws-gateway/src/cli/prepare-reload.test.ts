import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '@groupcast/service';
import { expect, onTestFinished, test } from 'vitest';
import type { GatewayConfig } from '../config.ts';
import { prepareReload } from './prepare-reload.ts';
import { program } from './program.ts';

function configOf(...argv: readonly string[]): GatewayConfig {
  return readConfig(program, { argv, env: {}, readFile: () => '' }).config;
}

test('the admin port cannot change, and each attempt is reported', () => {
  expect(() =>
    prepareReload(configOf(), configOf('--admin-host=127.0.0.2', '--admin-port=7', '--workers=3')),
  ).toThrow(
    '--admin-host cannot change from 127.0.0.1 to 127.0.0.2 by a reload: restart the gateway.\n' +
      '--admin-port cannot change from 1235 to 7 by a reload: restart the gateway.',
  );
});

test('other options can change, and the files are read again', () => {
  const folder = mkdtempSync(join(tmpdir(), 'groupcast-settings-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'secret');
  const running = configOf(`--secret-file=${file}`);
  const now = configOf(
    ...[`--secret-file=${file}`, '--port=7', '--workers=3', '--drain-seconds=2', '--drain-delay-seconds=1'],
    ...['--handshakes-per-second=0', '--recovery-messages-max=5'],
  );
  for (const secret of ['the first secret of all', 'another one, as long']) {
    writeFileSync(file, `${secret}\n`, { mode: 0o600 });
    const { settings, warnings } = prepareReload(running, now);
    expect(settings).toMatchObject({
      workers: 3,
      drainDelayMs: 1_000,
      worker: {
        secret,
        drainMs: 2_000,
        gateway: { port: 7, handshakesPerSecond: 0, recoveryMessagesMax: 5 },
      },
    });
    expect(warnings).toEqual([]);
  }
  writeFileSync(file, 'short');
  expect(() => prepareReload(running, now)).toThrow('has less than 16 bytes');
});
