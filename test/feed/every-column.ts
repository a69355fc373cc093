/** Every type that a feed brings, each null now and then; lists are null, empty, or up to four long. */
export const everyColumn: readonly (readonly [name: string, type: string, sql: string])[] = [
  ['n', 'long', 'range'],
  ['flag', 'boolean', maybe('range % 3 = 0', 2)],
  ['small', 'int', maybe('range * 7 - 1000', 3)],
  ['single', 'float', maybe('range / 7', 4)],
  ['double', 'double', maybe('range / 13', 5)],
  ['day', 'date', maybe("DATE '1969-01-01' + CAST(range AS INTEGER)", 6)],
  ['clock', 'time', maybe("TIME '10:00:00.123456'", 7)],
  ['at', 'timestamp', maybe("TIMESTAMP '1969-12-31 23:59:59.999999' + to_seconds(range)", 8)],
  ['instant', 'timestamptz', maybe("TIMESTAMPTZ '2001-01-01 00:00:00+00' + to_seconds(range)", 9)],
  ['price', 'decimal(9, 2)', maybe('CAST(range * -1.25 AS DECIMAL(9, 2))', 10)],
  ['wide', 'decimal(38, 10)', maybe('CAST(range * 1234567890.5 - 4 AS DECIMAL(38, 10))', 11)],
  ['text', 'string', maybe("repeat('é', CAST(range % 50 AS INTEGER))", 12)],
  ['same', 'string', "'same'"],
  ['id', 'uuid', maybe("CAST('00000000-0000-0000-0000-' || lpad(CAST(range AS VARCHAR), 12, '0') AS UUID)", 13)],
  ['bytes', 'binary', maybe("CAST('b' || range AS BLOB)", 14)],
  ['tags', 'list<string>', listOf("'tag ' || range || i", 15)],
  ['pair', 'struct<a: int, b: string>', maybe(`{a: ${maybe('range', 16)}, b: ${maybe("'x' || range", 17)}}`, 18)],
  ['pairs', 'list<struct<a: int, b: list<long>>>', listOf(`{a: i, b: ${listOf('range * 10 + i', 19)}}`, 20)],
  ['by', 'map<string, long>', maybe("map(['a' || range, 'b'], [range, NULL])", 21)],
  ['never', 'string', 'CAST(NULL AS VARCHAR)'],
];

function maybe(sql: string, salt: number): string {
  return `CASE WHEN hash(range * 31 + ${salt}) % 4 = 0 THEN NULL ELSE ${sql} END`;
}

function listOf(sql: string, salt: number): string {
  const elements = `[CASE WHEN (i + range) % 3 = 0 THEN NULL ELSE ${sql} END FOR i IN range(CAST(hash(range + ${salt}) % 5 AS BIGINT))]`;
  return maybe(elements, salt);
}

/** A statement that makes so many rows of them; `n` counts them from 0. */
export function everyColumnSql(rows: number): string {
  return `SELECT ${everyColumn.map(([name, , value]) => `${value} AS "${name}"`).join(', ')} FROM range(${rows})`;
}

/** For `createTable`. */
export const everyColumnInput = everyColumn.map(([name, type]) => ({ name, type, required: name === 'n' }));
