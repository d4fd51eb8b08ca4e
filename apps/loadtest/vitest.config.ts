import { defineConfig } from 'vitest/config';

// Each wait of a test has its own deadline, with an error that says more than a timeout of the
// test.
export default defineConfig({ test: { testTimeout: 60_000, hookTimeout: 60_000 } });
