import { REPOSITORY, type Runtime, runtimePath, startProcess } from '@groupcast/testkit';
import { describe, expect, test, vi } from 'vitest';

/**
 * Packages whose suites run on other versions of Node: those that use its internals, and the SDK.
 */
const PACKAGES = ['stream-handle', 'link', 'hub-client', 'client'];
const NODES: readonly Runtime[] = ['node22', 'node24'];
/**
 * Suites that jsdom cannot run, or that say nothing about it. `memory` and `unhandled` are about
 * the process, `page` brings a page of its own, and `readme` starts esbuild. `scale` and `memory`
 * were two thirds of the time, because globals and collections are slow in its contexts.
 */
const NOT_IN_JSDOM = ['memory', 'page', 'readme', 'scale', 'unhandled'];
const SDK_CONFIG = 'tests/runtimes/sdk/suite.config.ts';
const CHROMIUM_CONFIG = 'tests/runtimes/sdk/chromium.config.ts';

// A whole suite takes half a minute on an idle machine, and minutes on a busy one.
vi.setConfig({ testTimeout: 600_000 });

describe.each(NODES)('on %s', (runtime) => {
  test.each(PACKAGES)('the suite of %s passes', async (name) => {
    await passes([await runtimePath(runtime)], ['--project', `@groupcast/${name}`]);
  });
});

describe('the suite of the SDK passes', () => {
  test('on Bun', async () => {
    await passes([await runtimePath('bun'), '--bun'], ['--config', SDK_CONFIG]);
  });

  test('on Deno', async () => {
    await passes([await runtimePath('deno'), 'run', '--allow-all'], ['--config', SDK_CONFIG]);
  });

  test('in Chromium', async () => {
    await passes([process.execPath], ['--config', CHROMIUM_CONFIG]);
  });

  test('in jsdom, whose globals hide those of Node', async () => {
    const excluded = NOT_IN_JSDOM.flatMap((name) => ['--exclude', `test/${name}.test.ts`]);
    const jsdom = ['--environment', 'jsdom', '--pool', 'vmThreads', ...excluded];
    await passes([process.execPath], ['--config', SDK_CONFIG, ...jsdom]);
  });
});

/** Runs vitest with a runtime. Fails with its output when a test fails. */
async function passes([command, ...before]: [string, ...string[]], flags: string[]): Promise<void> {
  const vitest = [...before, 'node_modules/vitest/vitest.mjs', 'run', ...flags];
  const child = startProcess(command, vitest, { cwd: REPOSITORY });
  const { code } = await child.finished;
  expect(code, child.stdout + child.stderr).toBe(0);
}
