import { fileURLToPath } from 'node:url';
import { ALL_RUNTIMES, runtimePath, startProcess } from '@groupcast/testkit';
import type { Browser } from 'playwright-core';
import { openBrowser } from '../../browser/open-browser.ts';
import type { Bundles } from './bundle-scenarios.ts';

/** End of the process or page that played a scenario. */
interface HostExit {
  /** 0 for a page. */
  readonly code: number | null;
  readonly output: string;
}

/** Starts a JavaScript runtime for each scenario. */
export interface Host {
  /**
   * Plays the scenario of the test at this address. Resolves when the runtime has ended by itself.
   */
  play(controlUrl: string): Promise<HostExit>;
  close(): Promise<void>;
}

/** The hosts of the SDK, by name. */
export const HOSTS: Readonly<Record<string, (bundles: Bundles) => Promise<Host>>> = {
  node20: async ({ program }) => processHost(process.execPath, program),
  ...Object.fromEntries(
    ALL_RUNTIMES.map((runtime) => [
      runtime,
      async ({ program }: Bundles) => {
        const args = runtime === 'deno' ? ['run', '--allow-all', program] : [program];
        return processHost(await runtimePath(runtime), ...args);
      },
    ]),
  ),
  'deno with ws': async ({ program }) =>
    processHost(await runtimePath('deno'), 'run', '--allow-all', program, 'ws'),
  jsdom: async ({ page }) => {
    const host = fileURLToPath(new URL('jsdom-host.ts', import.meta.url));
    return processHost(process.execPath, '--import', 'tsx', host, page);
  },
  chromium: async ({ page }) => chromiumHost(await openBrowser(), page),
};

function processHost(command: string, ...args: readonly string[]): Host {
  return {
    play: async (controlUrl) => {
      const child = startProcess(command, [...args, controlUrl]);
      const { code } = await child.finished;
      return { code, output: child.stdout + child.stderr };
    },
    close: async () => {},
  };
}

function chromiumHost(browser: Browser, bundle: string): Host {
  return {
    play: async (controlUrl) => {
      const page = await browser.newPage();
      const output: string[] = [];
      page.on('pageerror', (error) => output.push(String(error.stack)));
      await page.addScriptTag({ path: bundle });
      await page.evaluate((url) => (globalThis as never as Page).runScenario(url), controlUrl);
      await page.close();
      return { code: output.length, output: output.join('\n') };
    },
    close: () => browser.close(),
  };
}

interface Page {
  runScenario(controlUrl: string): Promise<void>;
}
