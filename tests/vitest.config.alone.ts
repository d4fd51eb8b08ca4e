import { defineConfig } from 'vitest/config';

// These load a whole system, compare times, or need the ports that it has by default: nothing else runs beside them.
export default defineConfig({
  test: {
    name: '@groupcast/tests-alone',
    include: ['{faults,fresh-clone}/**/*.test.ts'],
    globalSetup: ['./build-apps.ts'],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
