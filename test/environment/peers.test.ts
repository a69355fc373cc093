import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { peers } from '../peers/peers.ts';

test('every peer has its time, and all of them together have what a run of everything leaves them', () => {
  const files = readdirSync(new URL('../peers', import.meta.url)).filter((name) => name.endsWith('.test.ts'));
  expect(peers.map(({ name }) => `${name}.test.ts`).toSorted()).toEqual(files.toSorted());
  expect(peers.reduce((sum, { minutes }) => sum + minutes, 0)).toBeLessThanOrEqual(70);
});
