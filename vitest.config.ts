import { defineConfig } from 'vitest/config';

export default defineConfig({
  // By default Vitest leaves one core idle, which is half of a machine with two.
  test: {
    projects: [
      'packages/*',
      'apps/*',
      'bench',
      'tests/vitest.config.ts',
      'tests/vitest.config.faults.ts',
      'tests/vitest.config.alone.ts',
    ],
    maxWorkers: '100%',
  },
});
