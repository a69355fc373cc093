import { zstdCompressSync } from 'node:zlib';
import {
  Binary,
  Bool,
  CompressionType,
  compressionRegistry,
  type DataType,
  DateDay,
  DateMillisecond,
  Decimal,
  Dictionary,
  Field,
  FixedSizeBinary,
  FixedSizeList,
  Float16,
  Float32,
  Float64,
  Int8,
  Int16,
  Int32,
  Int64,
  Interval,
  IntervalUnit,
  LargeBinary,
  LargeUtf8,
  List,
  Map_,
  makeData,
  Null,
  RecordBatch,
  RecordBatchReader,
  RecordBatchStreamWriter,
  Schema,
  Struct,
  Table,
  TimeMicrosecond,
  TimeMillisecond,
  TimeNanosecond,
  TimeSecond,
  TimestampMicrosecond,
  TimestampMillisecond,
  TimestampNanosecond,
  TimestampSecond,
  Uint8,
  Uint16,
  Uint32,
  Uint64,
  Utf8,
  Vector,
  vectorFromArray,
} from 'apache-arrow';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { arrowSchema } from '../../src/arrow/arrow-type.ts';
import { IpcWriter } from '../../src/arrow/ipc.ts';
import { RecordBatchBuilder } from '../../src/arrow/record-batch.ts';
import { registerZstd } from '../../src/arrow/zstd-codec.ts';
import type { NestedField, Type } from '../../src/iceberg/type.ts';
import { printTypeText } from '../../src/iceberg/type-text.ts';
import { loadArrowStream } from '../../src/sql/arrow-rows.ts';
import { cellJson } from '../../src/sql/cell-json.ts';
import { loadJsonRows } from '../../src/sql/json-rows.ts';
import { type DuckDbFixture, openFixture } from './duckdb-fixture.ts';

let fixture: DuckDbFixture;
beforeAll(async () => {
  fixture = await openFixture();
});
afterAll(() => fixture.close());

const limits = { rowsMax: 1_000_000, bytesMax: 1 << 28 };

async function* inPieces(bytes: Uint8Array, size = bytes.length): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** Loads a stream and gives its columns and its rows as JSON. */
async function load(bytes: Uint8Array, pieceBytes?: number) {
  return fixture.db.trusted.use(async (connection) => {
    const { fields, rowCount } = await loadArrowStream(connection, 'r', inPieces(bytes, pieceBytes), limits);
    const reader = await connection.runAndReadAll('SELECT * FROM r');
    const rows = reader.getRows().map((row) => row.map((cell, index) => cellJson(cell, fields[index]?.type ?? 'unknown')));
    expect(rows.length).toBe(rowCount);
    return { types: fields.map((field) => printTypeText(field.type)), rows };
  });
}

function streamOf(vectors: Record<string, Vector>): Uint8Array {
  return new RecordBatchStreamWriter().writeAll(new Table(vectors)).toUint8Array(true);
}

async function column(type: DataType, values: readonly unknown[], metadata?: Map<string, string>) {
  const vector = vectorFromArray(values, type);
  const field = new Field('x', type, true, metadata);
  const batch = new RecordBatch(
    new Schema([field]),
    makeData({ type: new Struct([field]), length: values.length, nullCount: 0, children: [vector.data[0] as never] }),
  );
  const { types, rows } = await load(new RecordBatchStreamWriter().writeAll([batch]).toUint8Array(true));
  return { type: types[0], cells: rows.map(([cell]) => cell) };
}

describe('an Arrow stream is loaded:', () => {
  test.each<[string, DataType, unknown[], string, unknown[]]>([
    ['null', new Null(), [null, null], 'unknown', [null, null]],
    ['bool', new Bool(), [true, null, false], 'boolean', [true, null, false]],
    ['int8', new Int8(), [-128, null, 127], 'int', [-128, null, 127]],
    ['int16', new Int16(), [-32768, null, 32767], 'int', [-32768, null, 32767]],
    ['int32', new Int32(), [-(2 ** 31), null, 2 ** 31 - 1], 'int', [-(2 ** 31), null, 2 ** 31 - 1]],
    ['int64', new Int64(), [-(2n ** 63n), null, 2n ** 63n - 1n], 'long', ['-9223372036854775808', null, '9223372036854775807']],
    ['uint8', new Uint8(), [0, null, 255], 'int', [0, null, 255]],
    ['uint16', new Uint16(), [0, null, 65535], 'int', [0, null, 65535]],
    ['uint32', new Uint32(), [0, null, 2 ** 32 - 1], 'long', ['0', null, '4294967295']],
    ['uint64', new Uint64(), [0n, null, 2n ** 64n - 1n], 'decimal(20, 0)', ['0', null, '18446744073709551615']],
    ['float16', new Float16(), [1.5, null, -0.25, 65504, 2 ** -24], 'float', [1.5, null, -0.25, 65504, 2 ** -24]],
    ['float', new Float32(), [1.5, null, Number.NaN, Number.NEGATIVE_INFINITY], 'float', [1.5, null, 'NaN', '-Infinity']],
    ['double', new Float64(), [0.1, null, Number.NaN], 'double', [0.1, null, 'NaN']],
    ['date32', new DateDay(), [new Date('1969-12-31'), null, new Date('2001-01-03')], 'date', ['1969-12-31', null, '2001-01-03']],
    ['date64', new DateMillisecond(), [new Date('1969-12-31'), null], 'date', ['1969-12-31', null]],
    ['time32 s', new TimeSecond(), [3600, null], 'time', ['01:00:00', null]],
    ['time32 ms', new TimeMillisecond(), [3_600_001, null], 'time', ['01:00:00.001000', null]],
    ['time64 us', new TimeMicrosecond(), [86_399_999_999n, null], 'time', ['23:59:59.999999', null]],
    [
      'utf8',
      new Utf8(),
      ['', null, 'a', 'twelve bytes', 'thirteen byte', 'é😀\0'],
      'string',
      ['', null, 'a', 'twelve bytes', 'thirteen byte', 'é😀\0'],
    ],
    ['large utf8', new LargeUtf8(), ['', null, 'longer than twelve bytes'], 'string', ['', null, 'longer than twelve bytes']],
    ['binary', new Binary(), [Uint8Array.of(), null, Uint8Array.of(0, 255)], 'binary', ['', null, 'AP8=']],
    ['large binary', new LargeBinary(), [Uint8Array.of(1), null], 'binary', ['AQ==', null]],
    ['fixed-size binary', new FixedSizeBinary(3), [Uint8Array.of(1, 2, 3), null], 'fixed[3]', ['AQID', null]],
    ['dictionary', new Dictionary(new Utf8(), new Int8()), ['a', 'b', null, 'a'], 'string', ['a', 'b', null, 'a']],
    ['list', new List(new Field('item', new Int32(), true)), [[1, null], null, [], [2]], 'list<int>', [[1, null], null, [], [2]]],
    [
      'list of lists of text',
      new List(new Field('item', new List(new Field('item', new Utf8(), true)), true)),
      [[['a'], null, []], [['b', null]]],
      'list<list<string>>',
      [[['a'], null, []], [['b', null]]],
    ],
    [
      'fixed-size list',
      new FixedSizeList(2, new Field('item', new Int32(), true)),
      [[1, 2], null, [3, 4]],
      'list<int>',
      [[1, 2], null, [3, 4]],
    ],
    [
      'struct',
      new Struct([new Field('a', new Int64(), true), new Field('b', new Utf8(), true)]),
      [{ a: 1n, b: 'x' }, null, { a: null, b: null }],
      'struct<a: long, b: string>',
      [{ a: '1', b: 'x' }, null, { a: null, b: null }],
    ],
    [
      'map',
      new Map_(
        new Field(
          'entries',
          new Struct([new Field('key', new Utf8(), false), new Field('value', new Int32(), true)]),
          false,
        ) as never,
      ),
      [
        new Map([
          ['a', 1],
          ['b', 2],
        ]),
        null,
        new Map(),
      ],
      'map<string, int>',
      [
        [
          ['a', 1],
          ['b', 2],
        ],
        null,
        [],
      ],
    ],
  ])('%s', async (_name, type, values, icebergType, cells) => {
    expect(await column(type, values)).toEqual({ type: icebergType, cells });
  });

  test.each([
    ['s', new TimestampSecond(), 1000n, 'timestamp', '1970-01-01T00:16:40'],
    ['ms', new TimestampMillisecond(), 1n, 'timestamp', '1970-01-01T00:00:00.001000'],
    ['us', new TimestampMicrosecond(), -1n, 'timestamp', '1969-12-31T23:59:59.999999'],
    ['ns', new TimestampNanosecond(), 1n, 'timestamp_ns', '1970-01-01T00:00:00.000000001'],
    ['us with a zone', new TimestampMicrosecond('Europe/Berlin'), 1n, 'timestamptz', '1970-01-01T00:00:00.000001Z'],
    ['ns with a zone', new TimestampNanosecond('UTC'), 1n, 'timestamptz_ns', '1970-01-01T00:00:00.000000001Z'],
  ] as const)('timestamp %s', async (_name, type, value, icebergType, text) => {
    const data = makeData({ type: type as TimestampMicrosecond, length: 1, data: BigInt64Array.of(value) as never });
    const { types, rows } = await load(streamOf({ x: new Vector([data]) }));
    expect([types, rows]).toEqual([[icebergType], [[text]]]);
  });

  test('decimals of every width', async () => {
    for (const precision of [1, 4, 5, 9, 10, 18, 19, 38]) {
      const greatest = 10n ** BigInt(precision) - 1n;
      const cells = new BigInt64Array([greatest, -greatest].flatMap((value) => [BigInt.asIntN(64, value), value >> 64n]));
      const data = makeData({ type: new Decimal(1, precision, 128), length: 2, data: new Uint32Array(cells.buffer) });
      const text = `${greatest.toString().slice(0, -1) || '0'}.9`;
      expect(await load(streamOf({ x: new Vector([data]) }))).toEqual({
        types: [`decimal(${precision}, 1)`],
        rows: [[text], [`-${text}`]],
      });
    }
  });

  test('uuids, where they say so', async () => {
    const bytes = Uint8Array.from({ length: 16 }, (_, index) => 240 + index);
    expect(await column(new FixedSizeBinary(16), [bytes], new Map([['ARROW:extension:name', 'arrow.uuid']]))).toEqual({
      type: 'uuid',
      cells: ['f0f1f2f3-f4f5-f6f7-f8f9-fafbfcfdfeff'],
    });
  });

  test('in many batches, cut anywhere', async () => {
    const values = Array.from({ length: 5000 }, (_, index) =>
      index % 7 === 0 ? null : `value ${index} ${'x'.repeat(index % 30)}`,
    );
    const table = new Table({
      s: vectorFromArray(values, new Utf8()),
      n: vectorFromArray(
        values.map((_, index) => index),
        new Int32(),
      ),
    });
    const batches = [table.slice(0, 1), table.slice(1, 2100), table.slice(2100)].flatMap((part) => part.batches);
    const bytes = new RecordBatchStreamWriter().writeAll(batches).toUint8Array(true);
    const { rows } = await load(bytes, 1013);
    expect(rows).toEqual(values.map((value, index) => [value, index]));
  });

  test('compressed with zstd', async () => {
    registerZstd();
    const codec = compressionRegistry.get(CompressionType.ZSTD);
    compressionRegistry.set(CompressionType.ZSTD, { ...codec, encode: (data: Uint8Array) => zstdCompressSync(data) });
    const writer = new RecordBatchStreamWriter({ compressionType: CompressionType.ZSTD });
    const values = Array.from({ length: 1000 }, () => 7);
    const bytes = writer.writeAll(new Table({ n: vectorFromArray(values, new Int32()) })).toUint8Array(true);
    expect((await load(bytes)).rows).toEqual(values.map((value) => [value]));
  });

  test('with no rows', async () => {
    const field = new Field('x', new Int32(), true);
    const writer = new IpcWriter(new Schema([field]));
    expect(await load(Buffer.concat([writer.schema(), writer.end()]))).toEqual({ types: ['int'], rows: [] });
  });
});

describe('an Arrow stream is refused:', () => {
  const good = () => streamOf({ s: vectorFromArray(['a', 'b'], new Utf8()), n: vectorFromArray([1n, 2n], new Int64()) });

  test.each<[string, () => Uint8Array]>([
    ['no bytes', () => new Uint8Array()],
    ['JSON', () => Buffer.from('{"a": 1, "b": [1, 2, 3]}')],
    ['a Parquet file', () => Buffer.from('PAR1\0\0\0\0\0\0\0\0PAR1')],
    ['cut in its schema', () => good().subarray(0, 60)],
    ['cut in a batch', () => good().subarray(0, good().length - 30)],
    [
      'an interval',
      () =>
        streamOf({
          x: new Vector([makeData({ type: new Interval(IntervalUnit.YEAR_MONTH), length: 1, data: Int32Array.of(1) as never })]),
        }),
    ],
    [
      'nanoseconds of a day',
      () =>
        streamOf({ x: new Vector([makeData({ type: new TimeNanosecond(), length: 1, data: BigInt64Array.of(1n) as never })]) }),
    ],
    ['two columns of one name', () => streamOf({ x: vectorFromArray([1], new Int32()), X: vectorFromArray([1], new Int32()) })],
    [
      'text that is not UTF-8',
      () =>
        streamOf({
          x: new Vector([
            makeData({ type: new Utf8(), length: 1, valueOffsets: Int32Array.of(0, 2), data: Uint8Array.of(0xc3, 0x28) }),
          ]),
        }),
    ],
    [
      'a time beyond midnight',
      () =>
        streamOf({
          x: new Vector([makeData({ type: new TimeMicrosecond(), length: 1, data: BigInt64Array.of(86_400_000_000n) as never })]),
        }),
    ],
    [
      'an infinite date',
      () => streamOf({ x: new Vector([makeData({ type: new DateDay(), length: 1, data: Int32Array.of(2 ** 31 - 1) })]) }),
    ],
    [
      'an instant beyond 64 bits',
      () =>
        streamOf({
          x: new Vector([makeData({ type: new TimestampSecond(), length: 1, data: BigInt64Array.of(2n ** 62n) as never })]),
        }),
    ],
    [
      'half a day as a date',
      () =>
        streamOf({
          x: new Vector([makeData({ type: new DateMillisecond(), length: 1, data: BigInt64Array.of(43_200_000n) as never })]),
        }),
    ],
    [
      'a decimal with too many digits',
      () =>
        streamOf({ x: new Vector([makeData({ type: new Decimal(0, 3, 128), length: 1, data: Uint32Array.of(1000, 0, 0, 0) })]) }),
    ],
    [
      'offsets that point outside',
      () =>
        streamOf({
          x: new Vector([
            makeData({ type: new Utf8(), length: 1, valueOffsets: Int32Array.of(0, 1_000_000), data: Uint8Array.of(65) }),
          ]),
        }),
    ],
    [
      'lists that point outside',
      () =>
        streamOf({
          x: new Vector([
            makeData({
              type: new List(new Field('item', new Int32(), true)),
              length: 1,
              valueOffsets: Int32Array.of(0, 50),
              child: makeData({ type: new Int32(), length: 1, data: Int32Array.of(1) }),
            }),
          ]),
        }),
    ],
  ])('%s', async (_name, bytes) => {
    await expect(load(bytes())).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
  });

  test('whatever bytes are changed, the process lives', async () => {
    const bytes = good();
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: bytes.length - 1 }), fc.nat({ max: 255 }), async (at, value) => {
        const changed = Uint8Array.from(bytes);
        changed[at] = value;
        const outcome = await load(changed).then(
          () => 'BAD_USER_INPUT',
          (error) => error.code,
        );
        expect(['BAD_USER_INPUT', 'OVERLOADED']).toContain(outcome);
      }),
      { numRuns: 300 },
    );
  });

  test('beyond the limits', async () => {
    const tooMany = (options: { rowsMax: number; bytesMax: number }) =>
      fixture.db.trusted.use((connection) => loadArrowStream(connection, 'r', inPieces(good()), options));
    await expect(tooMany({ rowsMax: 1, bytesMax: 1 << 20 })).rejects.toMatchObject({ code: 'OVERLOADED' });
    await expect(tooMany({ rowsMax: 10, bytesMax: 100 })).rejects.toMatchObject({ code: 'OVERLOADED' });
  });

  test('when its reader was told to stop', async () => {
    const abort = new AbortController();
    const endless = async function* () {
      yield good().subarray(0, 20);
      abort.abort(new Error('gone'));
      for (;;) yield new Uint8Array(8);
    };
    await expect(
      fixture.db.trusted.use((connection) => loadArrowStream(connection, 'r', endless(), { ...limits, signal: abort.signal })),
    ).rejects.toThrow('gone');
  });
});

describe('DuckDB gives Arrow what Arrow gave it', () => {
  const field = (id: number, name: string, type: Type): NestedField => ({ id, name, type, required: false });
  const fields: readonly NestedField[] = [
    field(1, 'b', 'boolean'),
    field(2, 'i', 'int'),
    field(3, 'l', 'long'),
    field(4, 'f', 'float'),
    field(5, 'd', 'double'),
    field(6, 'dec', 'decimal(38, 2)'),
    field(7, 'dec4', 'decimal(4, 2)'),
    field(8, 'dec9', 'decimal(9, 2)'),
    field(9, 'dec18', 'decimal(18, 2)'),
    field(10, 'day', 'date'),
    field(11, 't', 'time'),
    field(12, 'ts', 'timestamp'),
    field(13, 'tz', 'timestamptz'),
    field(14, 'ns', 'timestamp_ns'),
    field(15, 's', 'string'),
    field(16, 'u', 'uuid'),
    field(17, 'bin', 'binary'),
    field(18, 'fix', 'fixed[2]'),
    field(19, 'list', { kind: 'list', elementId: 30, element: 'string', elementRequired: false }),
    field(20, 'st', {
      kind: 'struct',
      fields: [field(31, 'a', 'long'), field(32, 'b', { kind: 'list', elementId: 33, element: 'int', elementRequired: false })],
    }),
    field(21, 'm', {
      kind: 'map',
      keyId: 34,
      key: 'string',
      valueId: 35,
      value: { kind: 'struct', fields: [field(36, 'x', 'double')] },
      valueRequired: false,
    }),
    field(22, 'none', 'unknown'),
  ];
  const option = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { freq: 4 });
  const digits = (max: bigint) => fc.bigInt({ min: -max, max }).map((unscaled) => `${unscaled}e-2`);
  const text = fc.string({ unit: 'binary', maxLength: 30 });
  const row = fc.record(
    {
      b: option(fc.boolean()),
      i: option(fc.integer()),
      l: option(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
      f: option(fc.float({ noNaN: true, noDefaultInfinity: true })),
      d: option(fc.double().map((value) => (Number.isFinite(value) ? value : String(value)))),
      dec: option(digits(10n ** 38n - 1n)),
      dec4: option(digits(9999n)),
      dec9: option(digits(10n ** 9n - 1n)),
      dec18: option(digits(10n ** 18n - 1n)),
      day: option(fc.constantFrom('0001-01-01', '1969-12-31', '9999-12-31')),
      t: option(fc.constantFrom('00:00:00', '23:59:59.999999')),
      ts: option(fc.constantFrom('0001-01-01T00:00:00', '2001-01-01T00:00:00.000001')),
      tz: option(fc.constantFrom('0001-01-01T00:00:00Z', '2001-01-01T00:00:00.000001Z')),
      ns: option(fc.constantFrom('1700-01-01T00:00:00', '2001-01-01T00:00:00.000000001')),
      s: option(text),
      u: option(fc.uuid()),
      bin: option(fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString('base64'))),
      fix: option(fc.uint8Array({ minLength: 2, maxLength: 2 }).map((bytes) => Buffer.from(bytes).toString('base64'))),
      list: option(fc.array(option(text), { maxLength: 5 })),
      st: option(
        fc.record(
          { a: option(fc.integer()), b: option(fc.array(option(fc.integer()), { maxLength: 3 })) },
          { noNullPrototype: true },
        ),
      ),
      m: option(
        fc.uniqueArray(
          fc.tuple(
            text,
            option(fc.record({ x: option(fc.double({ noNaN: true, noDefaultInfinity: true })) }, { noNullPrototype: true })),
          ),
          { selector: ([key]) => key, maxLength: 3 },
        ),
      ),
    },
    { noNullPrototype: true },
  );

  /** A table's rows as an IPC stream, in batches of a size. */
  async function stream(
    connection: Parameters<Parameters<typeof fixture.db.trusted.use>[0]>[0],
    table: string,
    columns: readonly NestedField[],
    batchRows: number,
  ) {
    const schema = arrowSchema(columns);
    const result = await connection.stream(`SELECT * FROM ${table}`);
    const builder = new RecordBatchBuilder(schema, result.columnTypes(), batchRows);
    const writer = new IpcWriter(schema);
    const parts = [writer.schema()];
    const sizes: number[] = [];
    for (let chunk = await result.fetchChunk(); chunk !== null && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
      for (const batch of builder.append(chunk)) {
        sizes.push(batch.numRows);
        parts.push(writer.batch(batch));
      }
    }
    if (builder.rows > 0) {
      sizes.push(builder.rows);
      parts.push(writer.batch(builder.take()));
    }
    parts.push(writer.end());
    return { bytes: Buffer.concat(parts), sizes };
  }

  test('whatever it is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 30 }), fc.integer({ min: 1, max: 12 }), async (rows, batchRows) => {
        await fixture.db.trusted.use(async (connection) => {
          await loadJsonRows(connection, 'first', { schemaId: 0, fields, identifierFieldIds: [] }, rows);
          const { bytes, sizes } = await stream(connection, 'first', fields, batchRows);
          expect(sizes.slice(0, -1).every((size) => size === batchRows)).toBe(true);
          const again = await loadArrowStream(connection, 'second', inPieces(bytes, 777), limits);
          expect(again.fields.map((found) => printTypeText(found.type))).toEqual(
            fields.map((given) => printTypeText(given.type)),
          );
          const read = async (table: string) => (await connection.runAndReadAll(`SELECT * FROM ${table}`)).getRowsJson();
          expect(await read('second')).toEqual(await read('first'));
          // And the second stream is the first, byte for byte.
          expect((await stream(connection, 'second', fields, batchRows)).bytes.equals(bytes)).toBe(true);
        });
      }),
      { numRuns: 50 },
    );
  });

  test('of types that only a SELECT gives', async () => {
    await fixture.db.trusted.use(async (connection) => {
      const sql = `SELECT 1::TINYINT a, -1::SMALLINT b, 255::UTINYINT c, 65535::USMALLINT d, 4294967295::UINTEGER e, 18446744073709551615::UBIGINT f,
        sum(170141183460469231731687303715::HUGEINT) g, 'y'::ENUM('x', 'y') h, TIMESTAMP_S '2001-01-01 00:00:01' i, TIMESTAMP_MS '2001-01-01 00:00:00.001' j, [1, 2]::INTEGER[2] k, NULL l
        FROM range(3000) GROUP BY ALL`;
      const result = await connection.stream(sql);
      const { icebergFields } = await import('../../src/sql/duckdb-type.ts');
      const columns = icebergFields(result.columnNames(), result.columnTypes());
      const builder = new RecordBatchBuilder(arrowSchema(columns), result.columnTypes(), 10);
      const chunk = await result.fetchChunk();
      if (chunk === null) throw new Error('no rows');
      expect([...builder.append(chunk)]).toEqual([]);
      const batch = builder.take();
      const cells = Object.fromEntries(
        batch.schema.fields.map((column, index) => [column.name, batch.getChildAt(index)?.get(0)]),
      );
      expect(cells).toMatchObject({ a: 1, b: -1, c: 255, d: 65535, e: 4294967295n, h: 'y' });
      expect([...cells.k]).toEqual([1, 2]);
      expect(cells.l).toBe(null);
    });
  });

  test('with each batch its own metadata, read by arrow-js', async () => {
    await fixture.db.trusted.use(async (connection) => {
      const schema = arrowSchema([field(1, 'n', 'long')], new Map([['icecore.rows-total', '3']]));
      const result = await connection.stream('SELECT * FROM range(3)');
      const builder = new RecordBatchBuilder(schema, result.columnTypes(), 2);
      const writer = new IpcWriter(schema);
      const parts = [writer.schema()];
      const chunk = await result.fetchChunk();
      if (chunk === null) throw new Error('no rows');
      for (const batch of builder.append(chunk)) parts.push(writer.batch(batch, new Map([['icecore.cursor', 'one']])));
      parts.push(writer.batch(builder.take(), new Map([['icecore.last', 'true']])));
      parts.push(writer.batch(builder.take()), writer.end());
      const reader = RecordBatchReader.from(Buffer.concat(parts));
      const batches = [...reader];
      expect(batches[0]?.schema.metadata.get('icecore.rows-total')).toBe('3');
      expect(batches[0]?.schema.fields[0]?.metadata.get('PARQUET:field_id')).toBe('1');
      expect(batches.map((batch) => [batch.numRows, ...batch.metadata])).toEqual([
        [2, ['icecore.cursor', 'one']],
        [1, ['icecore.last', 'true']],
        [0],
      ]);
    });
  });
});
