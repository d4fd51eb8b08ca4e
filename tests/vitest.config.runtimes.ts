import { defineConfig } from 'vitest/config';

// Not part of plain `npm test`: the first run downloads 200 MB of runtimes from npm.
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
