import { defineConfig } from 'vitest/config';

// Not part of `npm test`: these wait for minutes.
export default defineConfig({
  test: {
    name: '@groupcast/tests-long',
    root: import.meta.dirname,
    include: ['*/long/**/*.test.ts'],
    globalSetup: ['./build-apps.ts'],
    testTimeout: 240_000,
    hookTimeout: 120_000,
  },
});
