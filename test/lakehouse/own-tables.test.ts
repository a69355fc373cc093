import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseConfig } from '../../src/config.ts';
import { Icecore } from '../../src/icecore.ts';
import { caller } from '../environment/store.ts';

const signal = new AbortController().signal;
const call = { caller: caller('ada', ['scientist']), key: null, input: null };

let directory = '';
let icecore: Icecore;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'icecore-own-'));
  const config = parseConfig([], { ICECORE_CATALOG: `sqlite:${directory}/catalog.sqlite` });
  icecore = await Icecore.open({ ...config, engineMemoryBytesMax: 1024 ** 3, engineThreads: 2 });
});
afterAll(async () => {
  await icecore.close();
  await rm(directory, { recursive: true, force: true });
});

test('a SELECT over one of Icecore’s own tables sees what was acknowledged a moment ago', async () => {
  for (let number = 1; number <= 5; number++) {
    await icecore.models.register(call, { name: `model-${number}` });
    const answer = await icecore.selects.run(
      { statement: 'SELECT count(*) AS models FROM icecore.models', parameters: [], engine: 'EMBEDDED' },
      10,
      signal,
    );
    expect(answer.rows).toEqual([{ models: String(number) }]);
  }
});
