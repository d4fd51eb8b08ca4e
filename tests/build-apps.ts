import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/**
 * Builds the apps before the tests, which then start what is deployed: hundreds of processes that would each translate the source
 * again take a third of the time that way.
 */
export function setup(): void {
  const bundle = fileURLToPath(new URL('../scripts/bundle.mjs', import.meta.url));
  for (const app of ['channel-hub', 'ws-gateway']) {
    const cwd = fileURLToPath(new URL(`../apps/${app}`, import.meta.url));
    execFileSync(process.execPath, [bundle], { cwd, stdio: 'inherit' });
  }
  process.env['TEST_APPS'] = 'built';
}
