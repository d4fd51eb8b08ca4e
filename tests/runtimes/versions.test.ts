import { ALL_RUNTIMES, runtimePath, startProcess } from '@groupcast/testkit';
import { expect, test } from 'vitest';

const VERSIONS = { node22: /^v22\./, node24: /^v24\./, bun: /^1\./, deno: /^deno 2\./ };

test.each(ALL_RUNTIMES)('%s runs here', async (runtime) => {
  const child = startProcess(await runtimePath(runtime), ['--version']);
  expect(await child.finished).toEqual({ code: 0, signal: null });
  expect(child.stdout).toMatch(VERSIONS[runtime]);
});
