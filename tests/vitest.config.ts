import { defineConfig } from 'vitest/config';

// These start real processes: two files at a time, and generous timeouts that only a hang reaches.
export default defineConfig({
  test: {
    name: '@groupcast/tests',
    exclude: [
      'attacks/**',
      'faults/**',
      'fresh-clone/**',
      'packed/**',
      '*/long/**',
      'runtimes/**',
      'tarballs/**',
      'e2e/{even-spread,group-flood}.test.ts',
      'node_modules/**',
    ],
    globalSetup: ['./announce-skips.ts', './build-apps.ts'],
    maxWorkers: 2,
    // After the packages, which use all cores.
    sequence: { groupOrder: 1 },
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
