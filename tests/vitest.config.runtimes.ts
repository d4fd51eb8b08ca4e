import { defineConfig } from 'vitest/config';

// Not among the projects of plain `npm test`: these download 200 MB of runtimes from npm at their first run.
export default defineConfig({
  test: {
    name: '@groupcast/tests-runtimes',
    root: import.meta.dirname,
    include: ['{runtimes,tarballs}/**/*.test.ts'],
    globalSetup: ['./build-apps.ts', './runtimes/install-runtimes.ts'],
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
