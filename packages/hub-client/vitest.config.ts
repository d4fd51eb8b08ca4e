import { defineConfig } from 'vitest/config';

// Each wait in a test has its own deadline, with an error that says more than a test timeout.
export default defineConfig({ test: { testTimeout: 60_000, hookTimeout: 60_000 } });
