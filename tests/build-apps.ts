import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/**
 * Builds the apps before the tests, so that they start the deployed bundles. The tests start
 * hundreds of processes: without the bundles each would translate the source, which triples the
 * time.
 */
export function setup(): void {
  const bundle = fileURLToPath(new URL('../scripts/bundle.mjs', import.meta.url));
  for (const app of ['channel-hub', 'groupcast', 'ws-gateway']) {
    const cwd = fileURLToPath(new URL(`../apps/${app}`, import.meta.url));
    execFileSync(process.execPath, [bundle], { cwd, stdio: 'inherit' });
  }
  process.env['TEST_APPS'] = 'built';
}
