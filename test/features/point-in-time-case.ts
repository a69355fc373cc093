import fc from 'fast-check';
import type { PrimitiveType } from '../../src/iceberg/type.ts';
import type { Cell, ReferenceRow, ReferenceSpineRow } from './point-in-time-reference.ts';

/** A random small spine and feature table, and the SQL that holds them. */
export interface PointInTimeCase {
  readonly spine: readonly ReferenceSpineRow[];
  readonly rows: readonly ReferenceRow[];
  readonly timeToLive: bigint | null;
  readonly types: {
    readonly ts: PrimitiveType;
    readonly event: PrimitiveType;
    readonly known: PrimitiveType;
    readonly spineKeys: readonly PrimitiveType[];
    readonly keys: readonly PrimitiveType[];
    readonly features: readonly PrimitiveType[];
  };
}

const day = 86_400_000_000_000n;
const instantTypes: readonly PrimitiveType[] = ['date', 'timestamp', 'timestamptz', 'timestamp_ns'];

/** Few days and few moments around midnight, so that rows meet each other and the edges of every window. */
const anyInstant = fc
  .tuple(fc.integer({ min: -1, max: 2 }), fc.constantFrom(0n, 0n, 0n, 1n, -1n, 1000n, -1000n, 3_600_000_000_000n))
  .map(([days, offset]) => BigInt(days) * day + offset);

function rounded(nanos: bigint | null, type: PrimitiveType): bigint | null {
  if (nanos === null) return null;
  const unit = type === 'date' ? day : type === 'timestamp_ns' ? 1n : 1000n;
  const rest = ((nanos % unit) + unit) % unit;
  return nanos - rest;
}

const oddText = fc.constantFrom('a', 'A', 'a ', '', "o'k", '1|2', '12', '"', '\u00e9', 'e\u0301', '\u{1f600}', '\\', ';--');
const smallLong = fc.constantFrom(1n, 2n, 11n, 12n, 112n);
const keySets: readonly {
  readonly spine: readonly PrimitiveType[];
  readonly table: readonly PrimitiveType[];
  readonly values: fc.Arbitrary<readonly Cell[]>;
}[] = [
  { spine: ['int'], table: ['long'], values: fc.tuple(fc.constantFrom(1n, 2n)) },
  { spine: ['long', 'int'], table: ['int', 'long'], values: fc.constantFrom([1n, 12n], [11n, 2n], [11n, 12n]) },
  { spine: ['string', 'string'], table: ['string', 'string'], values: fc.tuple(oddText, fc.constantFrom('', 'a', '2')) },
  { spine: ['string', 'long'], table: ['string', 'int'], values: fc.tuple(fc.constantFrom('1', '11', ''), smallLong) },
];

const features: readonly PrimitiveType[] = ['double', 'string', 'long'];
const value = fc.tuple(
  fc.constantFrom<Cell>(null, null, null, 0.5, -0, 0, Number.NaN, Number.NaN),
  fc.constantFrom<Cell>(null, null, null, '', "it's", 'x'),
  fc.constantFrom<Cell>(null, null, 7n, 7n, -9223372036854775808n),
);

function orNull<T>(arbitrary: fc.Arbitrary<T>, oneIn: number): fc.Arbitrary<T | null> {
  return fc.option(arbitrary, { freq: oneIn });
}

export const pointInTimeCase: fc.Arbitrary<PointInTimeCase> = fc
  .record({
    keySet: fc.constantFrom(...keySets),
    ts: fc.constantFrom(...instantTypes),
    event: fc.constantFrom(...instantTypes),
    known: fc.constantFrom(...instantTypes),
    timeToLive: fc.constantFrom(null, 0n, day, 2n * day, 1000n),
    rowsMax: fc.constantFrom(3, 12, 30),
    /** Where set, no two rows have the same times, so that ERROR is seen to succeed. */
    apart: fc.boolean(),
  })
  .chain((shape) =>
    fc.record({
      shape: fc.constant(shape),
      entities: fc.array(shape.keySet.values, { minLength: 1, maxLength: 3, size: 'max' }),
      instants: fc.array(anyInstant, { minLength: 2, maxLength: 8, size: 'max' }),
    }),
  )
  .chain(({ shape, entities, instants }) => {
    const instant = fc.constantFrom(...instants);
    const keys = fc
      .constantFrom(...entities)
      .chain((tuple) => fc.tuple(...tuple.map((cell) => fc.option(fc.constant(cell), { freq: 15 }))));
    const row = fc.record({
      keys,
      event: orNull(instant, 15).map((nanos) => rounded(nanos, shape.event)),
      known: orNull(instant, 8).map((nanos) => rounded(nanos, shape.known)),
      sequence: orNull(fc.constantFrom(1n, 2n, 3n), 8),
      values: value,
    });
    const spineRow = fc.record({ keys, ts: orNull(instant, 15).map((nanos) => rounded(nanos, shape.ts)) });
    return fc.record({
      spine: fc.array(spineRow, { minLength: 1, maxLength: 12, size: 'max' }).map((rows) => [...rows, ...rows.slice(0, 2)]),
      rows: shape.apart
        ? fc.uniqueArray(row, { maxLength: shape.rowsMax, size: 'max', selector: (r) => `${r.keys.join('\u0000')}/${r.event}` })
        : fc.array(row, { maxLength: shape.rowsMax, size: 'max' }),
      timeToLive: fc.constant(shape.timeToLive),
      types: fc.constant({
        ts: shape.ts,
        event: shape.event,
        known: shape.known,
        spineKeys: shape.keySet.spine,
        keys: shape.keySet.table,
        features,
      }),
    });
  });

const sqlTypes: Readonly<Record<string, string>> = {
  int: 'INTEGER',
  long: 'BIGINT',
  double: 'DOUBLE',
  string: 'VARCHAR',
  date: 'DATE',
  timestamp: 'TIMESTAMP',
  timestamptz: 'TIMESTAMPTZ',
  timestamp_ns: 'TIMESTAMP_NS',
};

/** A cell as a SQL literal of an Iceberg type; times are nanoseconds since the epoch. */
export function literalSql(cell: Cell, type: PrimitiveType): string {
  return `${bareLiteral(cell, type)}::${sqlTypes[type]}`;
}

function bareLiteral(cell: Cell, type: PrimitiveType): string {
  if (cell === null) return 'NULL';
  if (typeof cell === 'number') return `'${Object.is(cell, -0) ? '-0.0' : cell}'`;
  if (typeof cell === 'string') return `'${cell.replaceAll("'", "''")}'`;
  if (!instantTypes.includes(type)) return `'${cell}'`;
  if (type === 'timestamp_ns') return `make_timestamp_ns(${cell})`;
  const [date, time] = new Date(Number(cell / 1_000_000n - (cell % 1_000_000n < 0n ? 1n : 0n))).toISOString().split('T');
  if (type === 'date') return `'${date}'`;
  const micros = (((cell % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n) / 1000n;
  return `'${date} ${time?.slice(0, 8)}.${micros.toString().padStart(6, '0')}${type === 'timestamptz' ? '+00' : ''}'`;
}

function relation(rows: readonly (readonly string[])[], columns: readonly string[], types: readonly PrimitiveType[]): string {
  const names = columns.map((column) => `"${column}"`).join(', ');
  // A row of nulls that is filtered out again gives an empty table its types.
  const empty = `SELECT ${types.map((type, i) => `NULL::${sqlTypes[type]} AS "${columns[i]}"`).join(', ')} WHERE false`;
  if (rows.length === 0) return `(${empty})`;
  return `(SELECT * FROM (VALUES ${rows.map((row) => `(${row.join(', ')})`).join(', ')}) v(${names}))`;
}

export function spineRelation({ spine, types }: PointInTimeCase): string {
  const rows = spine.map((row, position) => [
    ...row.keys.map((key, i) => literalSql(key, types.spineKeys[i] ?? 'long')),
    literalSql(row.ts, types.ts),
    `${position}::BIGINT`,
  ]);
  const keys = types.spineKeys.map((_, i) => `entity ${i}`);
  return relation(rows, [...keys, 'ts', 'spine_position'], [...types.spineKeys, types.ts, 'long']);
}

export function featureRelation({ rows, types }: PointInTimeCase): string {
  const literals = rows.map((row) => [
    ...row.keys.map((key, i) => literalSql(key, types.keys[i] ?? 'long')),
    literalSql(row.event, types.event),
    literalSql(row.known, types.known),
    literalSql(row.sequence, 'long'),
    ...row.values.map((cell, i) => literalSql(cell, types.features[i] ?? 'long')),
  ]);
  const keys = types.keys.map((_, i) => `k${i}`);
  const columns = [...keys, 'event', 'known', 'sequence', ...types.features.map((_, i) => `f${types.features.length - 1 - i}`)];
  return relation(literals, columns, [...types.keys, types.event, types.known, 'long', ...types.features]);
}
