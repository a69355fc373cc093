import type { Data, Schema } from 'apache-arrow';
import fc from 'fast-check';
import { arrowSchema } from '../../src/arrow/arrow-type.ts';
import type { RowPick } from '../../src/arrow/row-pick.ts';
import type { NestedField, Type } from '../../src/iceberg/type.ts';
import { type Random, randomColumn, randomOf } from './random-column.ts';

/** Blocks of a schema, and which of their rows make a batch. */
export interface BatchCase {
  readonly schema: Schema;
  readonly blocks: readonly (readonly Data[])[];
  readonly picks: readonly RowPick[];
  readonly rowCount: number;
  /** Of each place of the batch, its block and row: the picks, spelt out. */
  readonly rows: readonly (readonly [block: number, row: number])[];
}

export const flatTypes: readonly Type[] = [
  'boolean',
  'int',
  'long',
  'float',
  'double',
  'date',
  'time',
  'timestamp',
  'timestamptz',
  'timestamp_ns',
  'timestamptz_ns',
  'string',
  'binary',
  'uuid',
  'fixed[5]',
  'fixed[1]',
  'fixed[2]',
  'decimal(9, 2)',
  'decimal(38, 10)',
  'unknown',
];

const { type: anyType } = fc.letrec<{ type: Type; nested: Type }>((tie) => ({
  type: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    { weight: 3, arbitrary: fc.constantFrom(...flatTypes) },
    { weight: 2, arbitrary: tie('nested') },
  ),
  nested: fc.oneof(
    fc
      .array(fc.tuple(tie('type'), fc.boolean()), { minLength: 1, maxLength: 3 })
      .map((fields): Type => ({ kind: 'struct', fields: fields.map(([type, required], index) => field(index, type, required)) })),
    fc
      .tuple(tie('type'), fc.boolean())
      .map(([element, elementRequired]): Type => ({ kind: 'list', elementId: 1, element, elementRequired })),
    tie('type').map((value): Type => ({ kind: 'map', keyId: 1, key: 'string', valueId: 2, value, valueRequired: false })),
  ),
}));

function field(index: number, type: Type, required = false): NestedField {
  return { id: index + 1, name: `c${index}`, type, required: required && type !== 'unknown' };
}

const seeds = fc.nat({ max: 2 ** 31 });

/** Batches of columns of any types. `isSliced` for blocks that are parts of longer columns. */
export const batchCases: fc.Arbitrary<BatchCase> = fc
  .record({
    types: fc.array(anyType, { minLength: 1, maxLength: 4 }),
    rowCount: fc.oneof(fc.nat({ max: 8 }), fc.nat({ max: 130 })),
    isSliced: fc.boolean(),
    seed: seeds,
  })
  .map(({ types, rowCount, isSliced, seed }) => batchCase(types, rowCount, isSliced, seed));

export function batchCase(types: readonly Type[], rowCount: number, isSliced: boolean, seed: number): BatchCase {
  const random = randomOf(seed);
  const schema = arrowSchema(types.map((type, index) => field(index, type)));
  const blocks = Array.from({ length: 1 + random(4) }, () => block(schema, 1 + random(150), isSliced, random));
  const picks = randomPicks(
    blocks.map(([column]) => column?.length ?? 0),
    rowCount,
    random,
  );
  const rows: (readonly [number, number])[] = [];
  for (const { block, rows: picked, from, count, at, stride } of picks) {
    for (let index = 0; index < count; index++) {
      rows[at + index * stride] = [block, picked === null ? from + index : (picked[from + index] ?? -1)];
    }
  }
  return { schema, blocks, picks, rowCount, rows };
}

function block(schema: Schema, rowCount: number, isSliced: boolean, random: Random): readonly Data[] {
  return schema.fields.map(({ type }) => {
    if (!isSliced) return randomColumn(type, rowCount, random);
    const before = random(20);
    return randomColumn(type, before + rowCount + random(5), random).slice(before, rowCount);
  });
}

/** Every `lanes`-th place is of one lane, whose rows come from one block after the other. */
function randomPicks(rowCounts: readonly number[], rowCount: number, random: Random): readonly RowPick[] {
  const stride = [1, 1, 2, 4, 8][random(5)] ?? 1;
  const onlyRuns = random(3) === 0;
  return Array.from({ length: stride }, (_, lane) => lane).flatMap((lane) => {
    const picks: RowPick[] = [];
    for (let at = lane; at < rowCount; ) {
      const left = Math.ceil((rowCount - at) / stride);
      const block = random(rowCounts.length);
      const inBlock = rowCounts[block] ?? 0;
      const count = Math.min(1 + random(left), inBlock);
      picks.push({ block, ...pickedRows(inBlock, count, onlyRuns ? 0 : random(3), random), count, at, stride });
      at += count * stride;
    }
    return picks;
  });
}

function pickedRows(inBlock: number, count: number, kind: number, random: Random): Pick<RowPick, 'rows' | 'from'> {
  if (kind === 0) return { rows: null, from: random(inBlock - count + 1) };
  const from = random(4);
  const rows = Array.from({ length: from + count }, () => random(inBlock));
  return { rows: kind === 1 ? Uint16Array.from(rows) : Uint32Array.from(rows), from };
}
