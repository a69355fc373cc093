import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { encodeRoaring } from '../../src/iceberg/roaring-bitmap.ts';
import { SkippedRows } from '../../src/training/groups/skipped-rows.ts';
import { describeWith } from '../environment/tool.ts';
import { icecorePython, printed } from './python-reader.ts';

/** Runs of rows, ascending: where each begins behind the one before, every how many rows, and how many. */
const runs = fc.array(fc.tuple(fc.integer({ min: 1, max: 200_000 }), fc.integer({ min: 1, max: 40 }), fc.nat(9000)), {
  maxLength: 12,
});

const program = `
import base64, hashlib, json, sys
from icecore.roaring import roaring_positions

differ = 0
for data, digest in json.load(open(sys.argv[1])):
    positions = roaring_positions(base64.b64decode(data))
    differ += hashlib.sha256(positions.astype("<f8").tobytes()).hexdigest() != digest
print(differ, "differ")
`;

describeWith(['python3'], 'Roaring bitmaps in Python', () => {
  let folder: string;
  beforeAll(() => {
    icecorePython();
    folder = mkdtempSync(join(tmpdir(), 'icecore-roaring-'));
  }, 300_000);
  afterAll(() => rmSync(folder, { recursive: true }));

  it('hold what was put into them, in 32 bits and in 64', async () => {
    const cases = fc.sample(runs, { seed: 6, numRuns: 200 }).flatMap((each, index) => {
      // A few beyond 32 bits, too.
      const offset = index % 10 === 0 ? 2 ** 32 - 100_000 : 0;
      const rows: number[] = [];
      let at = offset;
      for (const [gap, step, count] of each) {
        at += gap;
        for (let row = 0; row < count; row++, at += step) rows.push(at);
      }
      const skipped = new SkippedRows();
      for (const row of rows) skipped.addAll(row, 1);
      const encoded = skipped.encode();
      const digest = createHash('sha256').update(new Float64Array(rows)).digest('hex');
      const in64 = encoded === null ? [] : [[Buffer.from(encoded).toString('base64'), digest]];
      return offset > 0 ? in64 : [...in64, [Buffer.from(encodeRoaring(new Uint32Array(rows))).toString('base64'), digest]];
    });
    expect(cases.length).toBeGreaterThan(300);
    const file = join(folder, 'bitmaps.json');
    writeFileSync(file, JSON.stringify(cases));
    expect(await printed(['-c', program, file])).toBe('0 differ\n');
  });

  it.each(['', 'AAAA', 'OjAAAAEAAAA=', 'AQAAAAAAAAAAAAAAOjAAAA=='])('say what is none: %j', async (data) => {
    const read = `import base64, sys
from icecore.roaring import roaring_positions
try:
    print(roaring_positions(base64.b64decode(sys.argv[1])))
except ValueError as error:
    print(error)`;
    expect(await printed(['-c', read, data])).toMatch(/^This is no Roaring bitmap/);
  });
});
