import { REPOSITORY, type Runtime, runtimePath, startProcess } from '@groupcast/testkit';
import { describe, expect, test } from 'vitest';

/** Packages whose suites run on other Nodes as well: what depends most on Node itself. */
const PACKAGES = ['stream-handle', 'link', 'hub-client'];
const NODES: readonly Runtime[] = ['node22', 'node24'];

describe.each(NODES)('on %s', (runtime) => {
  test.each(PACKAGES)('the suite of %s passes', async (name) => {
    const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--project', `@groupcast/${name}`];
    const child = startProcess(await runtimePath(runtime), vitest, { cwd: REPOSITORY });
    const { code } = await child.finished;
    expect(code, child.stdout + child.stderr).toBe(0);
  });
});
