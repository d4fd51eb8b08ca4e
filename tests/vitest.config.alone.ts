import { defineConfig } from 'vitest/config';

// These load a whole system, compare times or processes, or need its default ports: they run alone.
export default defineConfig({
  test: {
    name: '@groupcast/tests-alone',
    include: ['{attacks,faults,fresh-clone}/**/*.test.ts', 'e2e/{even-spread,group-flood}.test.ts'],
    globalSetup: ['./build-apps.ts'],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
