import { defineConfig } from 'vitest/config';

// These start real processes on a machine of two cores: one file at a time, and generous deadlines that only a hang reaches.
export default defineConfig({
  test: {
    name: '@groupcast/tests',
    globalSetup: ['./announce-skips.ts', './build-apps.ts'],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
