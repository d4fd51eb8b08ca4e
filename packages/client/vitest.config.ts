import { defineConfig } from 'vitest/config';

// What a test waits for has its own deadline, and an error that says more than a test that was cut
// off.
export default defineConfig({ test: { testTimeout: 60_000, hookTimeout: 60_000 } });
