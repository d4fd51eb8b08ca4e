import { defineConfig } from 'vitest/config';

// Waits have their own timeout, with a better error than a test that timed out.
export default defineConfig({ test: { testTimeout: 60_000, hookTimeout: 60_000 } });
