import { randomUUID } from 'node:crypto';
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseIdentifier } from '../../src/iceberg/identifier.ts';
import { appendFiles } from '../../src/tables/actions/append-files.ts';
import { evolveSchema } from '../../src/tables/actions/evolve-schema.ts';
import { noMetrics } from '../../src/tables/position-deletes.ts';
import { describeWith } from '../environment/tool.ts';
import { startTestServer, type TestServer } from '../http/test-server.ts';
import { icecorePython, readTraining } from './python-reader.ts';

const defaults: readonly (readonly [string, unknown])[] = [
  ['boolean', true],
  ['int', -7],
  ['long', 9223372036854775807n],
  ['float', 0.1],
  ['double', -0.1],
  ['decimal(4, 2)', '-12.34'],
  ['decimal(38, 3)', '12345678901234567890123456789012345.678'],
  ['date', '1969-12-30'],
  ['time', '23:59:59.999999'],
  ['timestamp', '1969-12-31T23:59:59.999999'],
  ['timestamptz', '2024-02-29T10:34:56.000001+00:00'],
  ['timestamp_ns', '2024-02-29T10:34:56.123456000'],
  ['timestamptz_ns', '2024-02-29T10:34:56.123456000+00:00'],
  ['string', 'äöü😀'],
  ['string', ''],
  ['binary', '00ff5c41'],
  ['fixed[3]', '00ff5c'],
  ['uuid', 'f79c3e09-677c-4bbd-a479-3f349cb785e7'],
  ['double', undefined],
];

describeWith(['python3'], 'columns that a file lacks', () => {
  let server: TestServer;
  beforeAll(async () => {
    icecorePython();
    server = await startTestServer();
  }, 5 * 60_000);
  afterAll(() => server?.close());

  it('have the values in a plan that they have in a feed, whatever their type', async () => {
    const { tables, duckdb } = server.icecore;
    const identifier = parseIdentifier('raw.defaults');
    const created = tables.transaction();
    const columns = [
      { name: 'n', type: 'long' },
      { name: 'part', type: 'date' },
    ];
    created.create(identifier, { columns, formatVersion: 3, partitionBy: [{ column: 'part', transform: 'identity' }] });
    await created.commit();
    const table = await tables.load(identifier);
    const local = join(server.directory, `${randomUUID()}.parquet`);
    await duckdb.trusted.use((connection) =>
      connection.run(`COPY (SELECT range AS n FROM range(100)) TO '${local}' (FORMAT parquet, FIELD_IDS {n: 1})`),
    );
    const filePath = `${table.metadata.location}/data/${randomUUID()}-foreign.parquet`;
    const place = { filePath, fileFormat: 'parquet', fileSizeInBytes: BigInt((await stat(local)).size), recordCount: 100n };
    await tables.storage.publish(local, filePath);
    await rm(local, { force: true });
    const added = defaults.map(([type, initialDefault], index) => ({
      kind: 'add' as const,
      column: { name: `c${index}`, type, ...(initialDefault === undefined ? {} : { initialDefault }) },
    }));
    const changed = tables.transaction();
    changed.change(identifier, appendFiles([{ ...noMetrics, ...place, content: 'data', specId: 0, partition: [-5] }]));
    changed.change(identifier, evolveSchema(added));
    await changed.commit();
    const [plan, feed] = await Promise.all(
      ['plan', 'feed'].map((via) => readTraining({ table: 'raw.defaults', url: server.origin, via })),
    );
    expect(feed?.rowsTotal).toBe(100);
    expect(plan).toEqual(feed);
  }, 120_000);
});
