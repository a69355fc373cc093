import { defineConfig } from 'vitest/config';

export default defineConfig({
  // Node takes graphql's `main`; Vite would take its `module`, and two copies refuse each other's schemas.
  resolve: { alias: [{ find: /^graphql$/, replacement: new URL('./node_modules/graphql/index.js', import.meta.url).pathname }] },
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/peers/**', 'test/soak/**'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
});
