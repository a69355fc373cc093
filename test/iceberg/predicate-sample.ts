import fc from 'fast-check';
import type { DataFile } from '../../src/iceberg/data-file.ts';
import type { Expression } from '../../src/iceberg/expression.ts';
import type { RowCells } from '../../src/iceberg/expression-evaluate.ts';
import { truncateLower, truncateUpper } from '../../src/iceberg/file-metrics.ts';
import { compareLiterals, isNanLiteral } from '../../src/iceberg/literal-order.ts';
import type { Schema } from '../../src/iceberg/schema.ts';
import { encodeSingleValue } from '../../src/iceberg/single-value.ts';
import type { Literal, PrimitiveType } from '../../src/iceberg/type.ts';

const columns: readonly (readonly [string, PrimitiveType])[] = [
  ['i', 'int'],
  ['l', 'long'],
  ['d', 'double'],
  ['s', 'string'],
  ['day', 'date'],
  ['ts', 'timestamptz'],
  ['price', 'decimal(9, 2)'],
];

export const sampleSchema: Schema = {
  schemaId: 0,
  fields: columns.map(([name, type], index) => ({ id: index + 1, name, type, required: false })),
  identifierFieldIds: [],
};

const near = fc.integer({ min: -30, max: 30 });
/** Few values and close to each other, so that predicates hit and miss; and the ends of each type. */
const cellsByName: Readonly<Record<string, fc.Arbitrary<Literal>>> = {
  i: fc.oneof(near, fc.constantFrom(-(2 ** 31), 2 ** 31 - 1)),
  l: fc.oneof(near.map(BigInt), fc.constantFrom(-(2n ** 63n), 2n ** 63n - 1n)),
  d: fc.oneof(
    near.map((value) => value / 4),
    fc.constantFrom(Number.NaN, -0, Infinity, -Infinity),
  ),
  s: fc.string({ unit: fc.constantFrom('a', 'b', '\u{ffff}', '\u{1f600}', '\u{10ffff}'), maxLength: 5 }),
  day: near,
  ts: near.map((hours) => BigInt(hours) * 3_600_000_000n * 7n - 1n),
  price: near.map((cents) => BigInt(cents) * 7n),
};
const literalsByName: Readonly<Record<string, fc.Arbitrary<number | string>>> = {
  i: fc.oneof(near, fc.constantFrom(2.5, -3e9, 3e9, 2 ** 31 - 1, -(2 ** 31))),
  l: fc.oneof(near, fc.constantFrom('9223372036854775807', '-9223372036854775808', '1e30', 0.5)),
  d: near.map((value) => value / 4),
  s: fc.string({ unit: fc.constantFrom('a', 'b', '\u{ffff}', '\u{1f600}', '\u{10ffff}'), maxLength: 4 }),
  day: fc.constantFrom('1970-01-01', '1969-12-31', '1970-01-20', '1969-12-05', '1970-02-01'),
  ts: fc.constantFrom('1970-01-01T00:00:00Z', '1969-12-31T23:59:59.999999Z', '1970-01-05T07:00:00', '1969-12-28'),
  price: near.map((cents) => (cents * 7) / 100),
};

export type SampleRow = readonly (Literal | null)[];
export const sampleRow: fc.Arbitrary<SampleRow> = fc.tuple(
  ...columns.map(([name]) => fc.option(cellsByName[name] ?? fc.constant(0), { freq: 6 })),
);
export const sampleRows = fc.array(sampleRow, { minLength: 1, maxLength: 6 });

export function cellsOf(row: SampleRow): RowCells {
  return (fieldId) => row[fieldId - 1] ?? null;
}

const columnName = fc.constantFrom(...columns.map(([name]) => name));
const leaf: fc.Arbitrary<Expression> = columnName.chain((column) => {
  const literal = literalsByName[column] ?? fc.constant(0);
  const comparison = fc.constantFrom('lt', 'lt-eq', 'gt', 'gt-eq', 'eq', 'not-eq');
  const prefix = fc.constantFrom('starts-with', 'not-starts-with');
  return fc.oneof(
    fc.record({ op: fc.constantFrom('is-null', 'not-null', 'is-nan', 'not-nan'), column: fc.constant(column) }),
    fc.record({ op: comparison, column: fc.constant(column), literal }),
    fc.record({
      op: fc.constantFrom('in', 'not-in'),
      column: fc.constant(column),
      literals: fc.array(literal, { maxLength: 4 }),
    }),
    ...(column === 's' ? [fc.record({ op: prefix, column: fc.constant(column), literal })] : []),
  );
});

/** Predicates over the columns, of at most a few leaves. */
export const samplePredicate: fc.Arbitrary<Expression> = fc.letrec<{ node: Expression }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 2, withCrossShrink: true },
    leaf,
    fc.record({ op: fc.constantFrom('and', 'or'), left: tie('node'), right: tie('node') }),
    fc.record({ op: fc.constant('not' as const), child: tie('node') }),
  ),
})).node;

/** A file of these rows with metrics as a writer gives them; `known` says which of them it gives. */
export function fileOf(rows: readonly SampleRow[], partition: DataFile['partition'] = [], known = allKnown): DataFile {
  const valueCounts = new Map<number, bigint>();
  const nullValueCounts = new Map<number, bigint>();
  const nanValueCounts = new Map<number, bigint>();
  const lowerBounds = new Map<number, Uint8Array>();
  const upperBounds = new Map<number, Uint8Array>();
  for (const [index, [, type]] of columns.entries()) {
    const id = index + 1;
    const cells = rows.map((row) => row[index] ?? null);
    const values = cells.filter((cell) => cell !== null && !isNanLiteral(cell)) as Literal[];
    const [lower] = values.toSorted(compareLiterals);
    const upper = values.toSorted(compareLiterals).at(-1);
    if (known.counts) valueCounts.set(id, BigInt(cells.length));
    if (known.nulls) nullValueCounts.set(id, BigInt(cells.filter((cell) => cell === null).length));
    if (known.nans && type === 'double')
      nanValueCounts.set(id, BigInt(cells.filter((cell) => cell !== null && isNanLiteral(cell)).length));
    if (!known.bounds || lower === undefined || upper === undefined) continue;
    const shortUpper = typeof upper === 'string' ? truncateUpper(upper, 2) : upper;
    lowerBounds.set(id, encodeSingleValue(type, typeof lower === 'string' ? truncateLower(lower, 2) : lower));
    if (shortUpper !== null) upperBounds.set(id, encodeSingleValue(type, shortUpper));
  }
  return {
    content: 'data',
    filePath: 'file:/t/data/a.parquet',
    fileFormat: 'parquet',
    specId: 0,
    partition,
    recordCount: BigInt(rows.length),
    fileSizeInBytes: 100n,
    columnSizes: new Map(),
    valueCounts,
    nullValueCounts,
    nanValueCounts,
    lowerBounds,
    upperBounds,
    keyMetadata: null,
    splitOffsets: null,
    equalityIds: null,
    sortOrderId: null,
  };
}

export interface KnownMetrics {
  readonly counts: boolean;
  readonly nulls: boolean;
  readonly nans: boolean;
  readonly bounds: boolean;
}
const allKnown: KnownMetrics = { counts: true, nulls: true, nans: true, bounds: true };
export const knownMetrics: fc.Arbitrary<KnownMetrics> = fc.oneof(
  fc.constant(allKnown),
  fc.record({ counts: fc.boolean(), nulls: fc.boolean(), nans: fc.boolean(), bounds: fc.boolean() }),
);
