import { defineConfig } from 'vitest/config';

// Each wait of a test has its own deadline, and an error that says more than that of the test.
export default defineConfig({ test: { testTimeout: 60_000, hookTimeout: 60_000 } });
