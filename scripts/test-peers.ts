/** Runs other people's software against ours, one peer after the other: `npm run test:peers [-- NAME …]`. */
import { spawnSync } from 'node:child_process';
import { peers } from '../test/peers/peers.ts';

const wanted = process.argv.slice(2);
const chosen = wanted.length === 0 ? peers : peers.filter(({ name }) => wanted.includes(name));
if (chosen.length === 0) {
  console.error(`There is no peer ${wanted.join(', ')}; there are ${peers.map(({ name }) => name).join(', ')}.`);
  process.exit(1);
}

/** Of all together. A slow network makes one of them late; only when nothing is left of this is a peer stopped. */
const minutesMax = 70;
const endMs = performance.now() + minutesMax * 60_000;

let passed = 0;
const failed: string[] = [];
for (const { name, minutes: usual } of chosen) {
  console.log(`\n# ${name} (about ${usual} minutes at most)`);
  const startMs = performance.now();
  const result = spawnSync('vitest', ['run', '--config', 'vitest.peers.config.ts', `test/peers/${name}.test.ts`], {
    stdio: 'inherit',
    timeout: Math.max(1, Math.ceil(endMs - startMs)),
  });
  const minutes = ((performance.now() - startMs) / 60_000).toFixed(1);
  const isPassed = result.status === 0;
  console.log(`# ${name}: ${isPassed ? 'passed' : 'failed'} after ${minutes} minutes`);
  if (isPassed) passed++;
  else failed.push(name);
}
console.log(`\npeers: ${passed} passed, ${failed.length} failed`);
if (failed.length > 0) process.exit(1);
