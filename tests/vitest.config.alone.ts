import { defineConfig } from 'vitest/config';

// These compare times or processes, need default ports, or build what the others run: they run
// alone.
export default defineConfig({
  test: {
    name: '@groupcast/tests-alone',
    include: ['{attacks,fresh-clone,packed}/**/*.test.ts', 'e2e/{even-spread,group-flood}.test.ts'],
    globalSetup: ['./build-apps.ts'],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
