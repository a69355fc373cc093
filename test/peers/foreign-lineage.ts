import assert from 'node:assert/strict';
import { parseIdentifier } from '../../src/iceberg/identifier.ts';
import { compactTable } from '../../src/tables/compact-table.ts';
import { writeRows } from '../../src/tables/write-rows.ts';
import type { ForeignFeature } from './foreign-feature.ts';
import type { ForeignLake } from './foreign-lake.ts';

async function expectSameLineage(lake: ForeignLake, table: string): Promise<void> {
  const theirs = await lake.sparkRows(`SELECT *, _row_id, _last_updated_sequence_number FROM ${table}`);
  assert.deepEqual(await lake.ourRows(table, { withLineage: true }), theirs, table);
}

/** Spark and Icecore change a table in turns; each sees the same ids of rows after each change. */
function changedInTurns(table: string, mode: 'copy-on-write' | 'merge-on-read'): ForeignFeature['make'] {
  return async (lake) => {
    const identifier = parseIdentifier(table);
    const upsert = async (from: number, to: number, name: string): Promise<void> => {
      const json = Array.from({ length: to - from }, (_, at) => ({ id: String(from + at), name }));
      await writeRows(lake.tables, { identifier, rows: { json }, mode: 'UPSERT', keys: ['id'] });
      await expectSameLineage(lake, table);
    };
    const sql = async (statement: string): Promise<void> => {
      await lake.sql(statement);
      await expectSameLineage(lake, table);
    };
    await lake.sql(`CREATE TABLE ${table} (id BIGINT, name STRING) USING iceberg TBLPROPERTIES ('format-version' = '3',
      'write.delete.mode' = '${mode}', 'write.update.mode' = '${mode}', 'write.merge.mode' = '${mode}')`);
    await sql(`INSERT INTO ${table} SELECT id, concat('n', id) FROM range(20)`);
    await sql(`UPDATE ${table} SET name = 'updated' WHERE id % 5 = 0`);
    await upsert(3, 6, 'upserted');
    await sql(`INSERT INTO ${table} SELECT id, 'more' FROM range(100, 104)`);
    await compactTable(lake.tables, { identifier });
    await expectSameLineage(lake, table);
    await sql(`DELETE FROM ${table} WHERE id IN (1, 101)`);
    await upsert(18, 23, 'again');
    await sql(`CALL lake.system.rewrite_data_files(table => '${table}', options => map('rewrite-all', 'true'))`);
    await writeRows(lake.tables, { identifier, rows: { json: [{ id: '7' }, { id: '19' }] }, mode: 'DELETE', keys: ['id'] });
    await expectSameLineage(lake, table);
    await sql(`MERGE INTO ${table} t USING (SELECT id, 'merged' AS name FROM range(8, 25)) s ON t.id = s.id
      WHEN MATCHED AND s.id % 2 = 0 THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *`);
    await writeRows(lake.tables, { identifier, rows: { json: [{ id: '900', name: 'appended' }] }, mode: 'APPEND' });
    await expectSameLineage(lake, table);
    await compactTable(lake.tables, { identifier });
    await expectSameLineage(lake, table);
  };
}

export const lineageFeatures: readonly ForeignFeature[] = [
  {
    feature: 'Row lineage, Spark and Icecore writing in turns: copy-on-write',
    tables: ['foreign.lineage_cow'],
    make: changedInTurns('foreign.lineage_cow', 'copy-on-write'),
  },
  {
    feature: 'Row lineage, Spark and Icecore writing in turns: merge-on-read',
    tables: ['foreign.lineage_mor'],
    make: changedInTurns('foreign.lineage_mor', 'merge-on-read'),
  },
  {
    feature: 'Row lineage of a table that was upgraded to v3',
    tables: ['foreign.lineage_upgraded'],
    make: async (lake) => {
      const table = 'foreign.lineage_upgraded';
      await lake.sql(
        `CREATE TABLE ${table} (id BIGINT, name STRING) USING iceberg TBLPROPERTIES ('format-version' = '2', 'write.delete.mode' = 'merge-on-read')`,
        `INSERT INTO ${table} SELECT id, 'old' FROM range(10)`,
        `DELETE FROM ${table} WHERE id = 3`,
        `INSERT INTO ${table} SELECT id, 'old' FROM range(20, 25)`,
        `ALTER TABLE ${table} SET TBLPROPERTIES ('format-version' = '3')`,
      );
      await expectSameLineage(lake, table);
      await lake.sql(`INSERT INTO ${table} VALUES (100, 'new')`);
      await expectSameLineage(lake, table);
      await lake.sql(`UPDATE ${table} SET name = 'changed' WHERE id IN (4, 22)`);
    },
    check: (lake) => expectSameLineage(lake, 'foreign.lineage_upgraded'),
  },
];
