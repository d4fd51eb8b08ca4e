import { defineConfig } from 'vitest/config';

export default defineConfig({
  // Vitest leaves one core to nobody, which is half of a machine of two.
  test: {
    projects: ['packages/*', 'apps/*', 'bench', 'tests/vitest.config.ts', 'tests/vitest.config.alone.ts'],
    maxWorkers: '100%',
  },
});
