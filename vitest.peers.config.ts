import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/peers/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 1,
    testTimeout: 8 * 60_000,
    // Before the first test comes what has to be downloaded, a gigabyte for some.
    hookTimeout: 25 * 60_000,
  },
});
