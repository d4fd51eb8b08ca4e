import { defineConfig } from 'vitest/config';

// The deadlines within a test report more than a test that timed out.
export default defineConfig({ test: { testTimeout: 60_000, hookTimeout: 60_000 } });
