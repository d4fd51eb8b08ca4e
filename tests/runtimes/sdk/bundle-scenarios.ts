import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** Bundles of the scenarios and the SDK. */
export interface Bundles {
  /** Bundle for a process, with the control address as its argument. */
  readonly program: string;
  /** Bundle for a page, which defines `runScenario(controlUrl)`. */
  readonly page: string;
}

/** Bundles the scenarios into a temporary folder. `remove` deletes it. */
export async function bundleScenarios(): Promise<Bundles & { remove(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'groupcast-scenarios-'));
  const bundles = { program: join(folder, 'program.cjs'), page: join(folder, 'page.js') };
  const common = { bundle: true, target: 'es2022', logLevel: 'error' } as const;
  await build({ ...common, entryPoints: [entry('program')], outfile: bundles.program, platform: 'node' });
  await build({ ...common, entryPoints: [entry('page')], outfile: bundles.page, format: 'iife' });
  return { ...bundles, remove: () => rm(folder, { recursive: true, force: true }) };
}

function entry(name: string): string {
  return fileURLToPath(new URL(`entry-${name}.ts`, import.meta.url));
}
