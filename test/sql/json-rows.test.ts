import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { printDate, printTime, printTimestamp } from '../../src/iceberg/calendar.ts';
import { printDecimal } from '../../src/iceberg/decimal.ts';
import type { Schema } from '../../src/iceberg/schema.ts';
import type { NestedField, Type } from '../../src/iceberg/type.ts';
import { cellJson } from '../../src/sql/cell-json.ts';
import { loadJsonRows } from '../../src/sql/json-rows.ts';
import { type DuckDbFixture, openFixture } from './duckdb-fixture.ts';

let fixture: DuckDbFixture;
beforeAll(async () => {
  fixture = await openFixture();
});
afterAll(() => fixture.close());

const field = (id: number, name: string, type: Type, required = false): NestedField => ({ id, name, type, required });
const schemaOf = (...fields: NestedField[]): Schema => ({ schemaId: 0, fields, identifierFieldIds: [] });

async function roundTrip(schema: Schema, rows: readonly unknown[]): Promise<unknown[]> {
  return fixture.db.trusted.use(async (connection) => {
    await loadJsonRows(connection, 'r', schema, rows);
    const reader = await connection.runAndReadAll('SELECT * FROM r');
    return reader
      .getRows()
      .map((row) =>
        Object.fromEntries(
          row.map((cell, index) => [schema.fields[index]?.name, cellJson(cell, schema.fields[index]?.type ?? 'unknown')]),
        ),
      );
  });
}

const wide = schemaOf(
  field(1, 'b', 'boolean'),
  field(2, 'i', 'int'),
  field(3, 'l', 'long'),
  field(4, 'f', 'float'),
  field(5, 'd', 'double'),
  field(6, 'dec', 'decimal(38, 10)'),
  field(7, 'small', 'decimal(4, 2)'),
  field(8, 'day', 'date'),
  field(9, 'time', 'time'),
  field(10, 'ts', 'timestamp'),
  field(11, 'tstz', 'timestamptz'),
  field(12, 's', 'string'),
  field(13, 'u', 'uuid'),
  field(14, 'bin', 'binary'),
  field(15, 'fix', 'fixed[3]'),
  field(16, 'list', { kind: 'list', elementId: 20, element: 'long', elementRequired: false }),
  field(17, 'map', { kind: 'map', keyId: 21, key: 'string', valueId: 22, value: 'double', valueRequired: false }),
  field(18, '__proto__', {
    kind: 'struct',
    fields: [field(23, 'a', 'int'), field(24, 'b c', { kind: 'list', elementId: 25, element: 'string', elementRequired: false })],
  }),
  field(19, 'ns', 'timestamp_ns'),
);

const long = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const double = fc.double().map((value) => (Object.is(value, -0) ? 0 : Number.isFinite(value) ? value : String(value)));
const text = fc.string({ unit: 'binary' });
const base64 = (arbitrary: fc.Arbitrary<Uint8Array>) => arbitrary.map((bytes) => Buffer.from(bytes).toString('base64'));
const instants = fc.bigInt({ min: -62_135_596_800_000_000n, max: 253_402_300_799_999_999n });
const row = fc
  .record({
    b: fc.option(fc.boolean()),
    i: fc.option(fc.integer()),
    l: fc.option(long.map(String)),
    f: fc.option(fc.float({ noDefaultInfinity: true, noNaN: true }).map((value) => value + 0)),
    d: fc.option(double),
    dec: fc.option(fc.bigInt({ min: -(10n ** 38n) + 1n, max: 10n ** 38n - 1n }).map((unscaled) => printDecimal(unscaled, 10))),
    small: fc.option(fc.bigInt({ min: -9999n, max: 9999n }).map((unscaled) => printDecimal(unscaled, 2))),
    day: fc.option(fc.integer({ min: -719_162, max: 2_932_896 }).map(printDate)),
    time: fc.option(fc.bigInt({ min: 0n, max: 86_399_999_999n }).map((micros) => printTime(micros))),
    ts: fc.option(instants.map((micros) => printTimestamp(micros, 'micros', false))),
    tstz: fc.option(instants.map((micros) => `${printTimestamp(micros, 'micros', false)}Z`)),
    s: fc.option(text),
    u: fc.option(fc.uuid()),
    bin: fc.option(base64(fc.uint8Array({ maxLength: 40 }))),
    fix: fc.option(base64(fc.uint8Array({ minLength: 3, maxLength: 3 }))),
    list: fc.option(fc.array(fc.option(long.map(String)), { maxLength: 4 })),
    map: fc.option(fc.uniqueArray(fc.tuple(text, fc.option(double)), { selector: ([key]) => key, maxLength: 4 })),
    proto: fc.option(
      fc.record(
        { a: fc.option(fc.integer()), 'b c': fc.option(fc.array(fc.option(text), { maxLength: 3 })) },
        { noNullPrototype: true },
      ),
    ),
    ns: fc.option(fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }).map((nanos) => printTimestamp(nanos, 'nanos', false))),
  })
  .map(({ proto, ...rest }) => Object.defineProperty(rest, '__proto__', { value: proto, enumerable: true, configurable: true }));

describe('JSON rows', () => {
  test('come back from DuckDB as they went in', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 20 }), async (rows) => {
        const plain = (values: readonly object[]) =>
          values.map((value) => Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1)));
        expect(plain((await roundTrip(wide, rows)) as object[])).toEqual(plain(rows));
      }),
      { numRuns: 60 },
    );
  });

  test('keep their order over many chunks', async () => {
    const rows = Array.from({ length: 5000 }, (_, index) => ({ l: String(index) }));
    expect(await roundTrip(schemaOf(field(1, 'l', 'long', true)), rows)).toEqual(rows);
  });

  test('fill missing members with null, take numbers and bigints for longs', async () => {
    const schema = schemaOf(field(1, 'l', 'long'), field(2, 's', 'string'), field(3, 'd', 'decimal(5, 2)'));
    expect(await roundTrip(schema, [{ l: 5 }, { l: 9223372036854775807n, s: null, d: 3 }, { d: '1.5' }])).toEqual([
      { l: '5', s: null, d: null },
      { l: '9223372036854775807', s: null, d: '3.00' },
      { l: null, s: null, d: '1.50' },
    ]);
  });

  test.each<[string, Type, unknown, string]>([
    ['a fraction as int', 'int', 1.5, 'Row 1, column "x": 1.5 is no int'],
    ['too large an int', 'int', 2 ** 31, 'Row 1, column "x"'],
    ['a double that lost digits as long', 'long', 2 ** 53, 'write it as a string of digits'],
    ['a long beyond 64 bits', 'long', '9223372036854775808', 'Row 1, column "x"'],
    ['text as boolean', 'boolean', 'true', 'is no boolean'],
    ['a number as text', 'string', 5, 'is no string'],
    ['half a surrogate pair', 'string', '\ud800', 'is no string'],
    ['a float beyond its range', 'float', 1e300, 'is no float'],
    ['a decimal with too many digits', 'decimal(4, 2)', '1.234', 'does not fit decimal(4, 2)'],
    ['a decimal as a JSON fraction', 'decimal(4, 2)', 1.25, 'write it as a string'],
    ['no date', 'date', '2001-02-29', 'Row 1, column "x": "2001-02-29" is not a date'],
    ['a zone where there is none', 'timestamp', '2001-01-01T00:00:00Z', 'timestamp without a zone'],
    ['no zone where one is needed', 'timestamptz', '2001-01-01T00:00:00', 'timestamp with a zone'],
    ['bad base64', 'binary', '???', 'base64'],
    ['a fixed of another length', 'fixed[3]', 'AAAA'.repeat(2), 'fixed[3]'],
    ['no uuid', 'uuid', 'abc', 'UUID'],
    ['a value in an unknown column', 'unknown', 1, 'unknown'],
    ['an object as list', { kind: 'list', elementId: 2, element: 'int', elementRequired: true }, {}, 'write a list'],
    [
      'a null among required elements',
      { kind: 'list', elementId: 2, element: 'int', elementRequired: true },
      [1, null],
      '[1]: null',
    ],
    [
      'a map as object',
      { kind: 'map', keyId: 2, key: 'string', valueId: 3, value: 'int', valueRequired: false },
      { a: 1 },
      '[key, value]',
    ],
    ['an unknown member of a struct', { kind: 'struct', fields: [field(2, 'a', 'int')] }, { b: 1 }, 'there is no column "b"'],
  ])('refuse %s', async (_name, type, value, message) => {
    await expect(roundTrip(schemaOf(field(1, 'x', type)), [{ x: null }, { x: value }])).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      message: expect.stringContaining(message),
    });
  });

  test('refuse unknown members, missing required ones, and rows that are no objects', async () => {
    const schema = schemaOf(field(1, 'x', 'int', true));
    await expect(roundTrip(schema, [{ x: 1, y: 2 }])).rejects.toThrow('Row 0: there is no column "y". There are: x.');
    await expect(roundTrip(schema, [{}])).rejects.toThrow('Row 0, column "x": null, and a value is required');
    await expect(roundTrip(schema, [[1]])).rejects.toThrow('Row 0 must be an object');
  });
});
