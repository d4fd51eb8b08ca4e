import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BENCH, PEERS } from '../paths.ts';

/** Builds the measured programs as deployed, and the load generator. */
export function buildApps(root: string): void {
  if (!existsSync(`${root}node_modules`)) {
    throw new Error(`${root} is not installed: run "node scripts/install.mjs" in it first.`);
  }
  for (const app of ['channel-hub', 'ws-gateway', 'loadtest']) {
    execFileSync(process.execPath, [`${root}scripts/bundle.mjs`], {
      cwd: `${root}apps/${app}`,
      stdio: 'inherit',
    });
  }
}

/** Installs the npm packages of the peers, which are not part of the workspace. */
export function installPeers(): void {
  if (existsSync(`${PEERS}node_modules`)) return;
  const args = ['install', '--no-audit', '--no-fund', '--no-package-lock'];
  execFileSync('npm', args, { cwd: PEERS, stdio: ['ignore', 'ignore', 'inherit'] });
}

/** Compiles the floor; undefined without a compiler. */
export function compileFloor(): string | undefined {
  const program = join(mkdtempSync(join(tmpdir(), 'floor-')), 'floor');
  try {
    execFileSync('cc', ['-O2', '-o', program, `${BENCH}floor/floor.c`], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    return program;
  } catch {
    return undefined;
  }
}

/** Returns a program's version; undefined when it is not installed. */
export function versionOf(command: string, args: readonly string[]): string | undefined {
  try {
    return execFileSync(command, args, { stdio: ['ignore', 'pipe', 'ignore'] })
      .toString()
      .trim();
  } catch {
    return undefined;
  }
}
