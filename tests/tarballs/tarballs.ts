import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from '@groupcast/testkit';
import { runCommand } from './run-command.ts';

/** The used part of a package.json. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly publishConfig?: { readonly exports?: object };
  readonly license?: string;
  readonly engines?: { readonly node: string };
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

/** Folders of the published libraries, by name. `tests/packed` has the package without one. */
export const PUBLISHED: ReadonlyMap<string, string> = new Map(
  ['packages', 'apps']
    .flatMap((parent) => readdirSync(join(REPOSITORY, parent)).map((name) => join(REPOSITORY, parent, name)))
    .map((folder) => [readManifest(folder), folder] as const)
    .filter(([manifest]) => manifest.private !== true && manifest.publishConfig?.exports !== undefined)
    .map(([manifest, folder]) => [manifest.name, folder]),
);

export function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}

/** Builds and packs the published packages into a folder. Returns the tarballs by package name. */
export async function packAll(folder: string): Promise<ReadonlyMap<string, string>> {
  const pnpm = join(REPOSITORY, 'node_modules', '.bin', 'pnpm');
  await runCommand(pnpm, ['run', 'build'], { cwd: REPOSITORY });
  mkdirSync(folder, { recursive: true });
  for (const cwd of PUBLISHED.values())
    await runCommand(pnpm, ['pack', '--pack-destination', folder], { cwd });
  return new Map(
    [...PUBLISHED].map(([name, source]) => {
      const file = `${name.slice(1).replace('/', '-')}-${readManifest(source).version}.tgz`;
      return [name, join(folder, file)];
    }),
  );
}
