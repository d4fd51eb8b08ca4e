import { defineConfig } from 'vitest/config';

// Each loads a whole system, mostly waits for its faults, and judges what happened, not how fast:
// two at a time.
export default defineConfig({
  test: {
    name: '@groupcast/tests-faults',
    include: ['faults/**/*.test.ts'],
    globalSetup: ['./build-apps.ts'],
    maxWorkers: 2,
    sequence: { groupOrder: 2 },
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
