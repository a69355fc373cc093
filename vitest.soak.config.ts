import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { include: ['test/soak/**/*.test.ts'], passWithNoTests: true, pool: 'forks', maxWorkers: 1, testTimeout: 12 * 3_600_000 },
});
