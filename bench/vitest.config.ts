import { defineConfig } from 'vitest/config';

export default defineConfig({ test: { name: '@groupcast/bench', include: ['src/**/*.test.ts'] } });
