import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { REPOSITORY } from '@groupcast/testkit';

type App = 'channel-hub' | 'ws-gateway';

/** Runs a command of a built app to its end, and returns its output. Throws if it fails. */
export function runApp(
  app: App,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): string {
  const main = `apps/${app}/dist/main.js`;
  const result = spawnSync(process.execPath, [main, ...args], {
    cwd: REPOSITORY,
    env: { ...process.env, ...env },
    encoding: 'utf8',
  });
  const { status, stdout, stderr } = result;
  if (status !== 0) throw new Error(`${main} ${args.join(' ')} ended with ${status}: ${stdout}${stderr}`);
  return stdout;
}

/** Makes a folder with the files that the configurations name: a secret and the certificates. */
export function makeServiceFiles(): string {
  const folder = mkdtempSync(join(tmpdir(), 'groupcast-deploy-'));
  writeFileSync(join(folder, 'secret'), runApp('channel-hub', ['gen-secret']), { mode: 0o600 });
  runApp('channel-hub', ['gen-certs', '--dir', join(folder, 'tls'), '--host', 'groupcast-hub']);
  return folder;
}
