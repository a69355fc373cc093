import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/peers/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 1,
    testTimeout: 8 * 60_000,
    hookTimeout: 8 * 60_000,
  },
});
