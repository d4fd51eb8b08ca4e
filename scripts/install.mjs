// Prepares a fresh clone: checks Node, then installs from the lockfile with the pinned pnpm.
// Plain JavaScript without dependencies, because it runs before anything is installed.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

const needed = manifest.engines.node.replace('>=', '');
if (process.versions.node.localeCompare(needed, undefined, { numeric: true }) < 0) {
  console.error(
    `Groupcast needs Node ${needed} or newer; this is ${process.versions.node}. Install it from https://nodejs.org.`,
  );
  process.exit(1);
}

// Skips the installation while the lockfile is unchanged, so that a second start is fast.
const stamp = join(root, 'node_modules', '.groupcast-lockfile');
const lockfile = createHash('sha256')
  .update(readFileSync(join(root, 'pnpm-lock.yaml')))
  .digest('hex');
if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lockfile) process.exit(0);

console.log(`Installing what pnpm-lock.yaml lists, with ${manifest.packageManager}.`);
const windows = process.platform === 'win32';
const install = spawnSync(
  'npm',
  ['exec', '--yes', '--', manifest.packageManager, 'install', '--frozen-lockfile'],
  {
    cwd: root,
    stdio: 'inherit',
    shell: windows,
  },
);
if (install.error)
  console.error(`npm could not be run: ${install.error.message}. It comes with Node; check your PATH.`);
if (install.status !== 0) process.exit(install.status ?? 1);

mkdirSync(dirname(stamp), { recursive: true });
writeFileSync(stamp, lockfile);
