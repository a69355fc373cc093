import { Vector } from 'apache-arrow';
import { expect, test } from 'vitest';
import { arrowSchema } from '../../../src/arrow/arrow-type.ts';
import type { Literal, PrimitiveType } from '../../../src/iceberg/type.ts';
import { constantColumn } from '../../../src/training/feed/constant-column.ts';

const uuidBytes = Uint8Array.from({ length: 16 }, (_, at) => at);
const values: readonly (readonly [PrimitiveType, Literal, unknown])[] = [
  ['boolean', true, true],
  ['boolean', false, false],
  ['int', -7, -7],
  ['long', 2n ** 53n + 1n, 2n ** 53n + 1n],
  ['float', 0.5, 0.5],
  ['double', 0.1, 0.1],
  ['string', 'ünder', 'ünder'],
  ['string', '', ''],
  ['binary', Uint8Array.of(1, 2), Uint8Array.of(1, 2)],
  ['fixed[3]', Uint8Array.of(1, 2, 3), Uint8Array.of(1, 2, 3)],
  ['uuid', '00010203-0405-0607-0809-0a0b0c0d0e0f', uuidBytes],
];

test.each(values)('a column of %s with %s in each row', (type, value, cell) => {
  const [field] = arrowSchema([{ id: 1, name: 'c', required: false, type }]).fields;
  if (field === undefined) throw new Error('no field');
  for (const length of [0, 1, 9]) {
    const cells = [...new Vector([constantColumn(field.type, value, length)])];
    expect(cells).toEqual(Array.from({ length }, () => cell));
    expect([...new Vector([constantColumn(field.type, null, length)])]).toEqual(Array.from({ length }, () => null));
  }
});

test.each([1n, -1n, 2n ** 70n, -(2n ** 100n)])('a decimal of %s', (unscaled) => {
  const [field] = arrowSchema([{ id: 1, name: 'c', required: false, type: 'decimal(38, 2)' }]).fields;
  if (field === undefined) throw new Error('no field');
  const { values: words } = constantColumn(field.type, unscaled, 3);
  const limbs = new BigInt64Array((words as Uint32Array).buffer.slice(0) as ArrayBuffer);
  for (let row = 0; row < 3; row++) {
    expect(((limbs[2 * row + 1] ?? 0n) << 64n) | BigInt.asUintN(64, limbs[2 * row] ?? 0n)).toBe(unscaled);
  }
});

test.each([
  ['date', 18_000],
  ['time', 86_399_999_999n],
  ['timestamp', -1n],
  ['timestamptz_ns', 2n ** 62n],
] as const)('a column of %s holds its units', (type, value) => {
  const [field] = arrowSchema([{ id: 1, name: 'c', required: false, type }]).fields;
  if (field === undefined) throw new Error('no field');
  expect([...(constantColumn(field.type, value, 2).values as Int32Array | BigInt64Array)]).toEqual([value, value]);
});
