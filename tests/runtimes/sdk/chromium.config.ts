import { fileURLToPath } from 'node:url';
import { playwright } from '@vitest/browser-playwright';
import { configDefaults, defineConfig } from 'vitest/config';
import { chromiumOptions } from '../../browser/open-browser.ts';

// The suite of packages/client in a page of Chromium.
export default defineConfig({
  test: {
    root: fileURLToPath(new URL('../../../packages/client', import.meta.url)),
    // Excludes Node, ws and the build, and tests that read files, measure the process or start one.
    // `unhandled` reads the events of the process; in a page vitest reports them.
    exclude: [
      ...configDefaults.exclude,
      'test/{bundle,memory,node,readme,scale,unhandled,ws}.test.ts',
      'src/connection/wire.test.ts',
    ],
    // The SDK for browsers terminates no connection: a page cannot.
    testNamePattern: /^(?!.*terminates a connection that does not close)/,
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: playwright({ launchOptions: chromiumOptions() }),
      instances: [{ browser: 'chromium' }],
    },
    testTimeout: 300_000,
    hookTimeout: 60_000,
  },
});
