import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeWith } from '../environment/tool.ts';
import { expectOnPage } from './compatibility-page.ts';
import { featureMatrix, type MatrixRow, type Reading } from './feature-matrix.ts';
import { deleteFeatures } from './foreign-deletes.ts';
import type { ForeignFeature } from './foreign-feature.ts';
import { historyFeatures } from './foreign-history.ts';
import { ForeignLake } from './foreign-lake.ts';
import { lineageFeatures } from './foreign-lineage.ts';
import { partitionFeatures } from './foreign-partitions.ts';
import { pyicebergFeatures } from './foreign-pyiceberg.ts';
import { pyicebergReading } from './foreign-readings.ts';
import { schemaFeatures } from './foreign-schemas.ts';
import { typeFeatures } from './foreign-types.ts';
import { ownFeatures } from './own-tables.ts';

const foreign = [
  ...typeFeatures,
  ...deleteFeatures,
  ...schemaFeatures,
  ...partitionFeatures,
  ...historyFeatures,
  ...lineageFeatures,
  ...pyicebergFeatures,
];

describeWith(['python3', 'java', 'mvn'], 'Tables of several engines', () => {
  let lake: ForeignLake;
  const read: MatrixRow[] = [];
  const written: MatrixRow[] = [];
  beforeAll(async () => {
    lake = await ForeignLake.start();
  });
  afterAll(async () => {
    await lake?.stop();
    if (read.length !== foreign.length || written.length !== ownFeatures.length) return;
    expectOnPage('the tables of other engines', featureMatrix(['Icecore reads', 'PyIceberg reads'], read));
    expectOnPage('the tables of Icecore', featureMatrix(['Spark reads', 'the Java library reads', 'PyIceberg reads'], written));
  });

  describe('that Spark and the Java library make are read by Icecore', () => {
    test.each(foreign)('$feature', async (feature) => {
      await feature.make(lake);
      const readings: Reading[] = [];
      for (const table of feature.tables) {
        const theirs = await measured(lake, feature, table);
        expect(await lake.ourRows(table), table).toEqual(theirs);
        await expectSameFiltered(lake, table, feature.filters ?? []);
        const pyicebergs = await lake.pyicebergRows(table).catch((error: Error) => error);
        readings.push(pyicebergReading(pyicebergs, theirs, feature.pyicebergDiffers));
      }
      await feature.check?.(lake);
      const pyiceberg = readings.find((reading) => reading !== 'equal') ?? 'equal';
      read.push({ feature: feature.feature, readings: ['equal', pyiceberg] });
    });
  });

  test('that Icecore does not read are refused by name', async () => {
    await lake.sql(
      "CREATE TABLE foreign.orc (id BIGINT) USING iceberg TBLPROPERTIES ('write.format.default' = 'orc')",
      'INSERT INTO foreign.orc VALUES (1)',
    );
    await expect(lake.ourRows('foreign.orc')).rejects.toThrow(/foreign\/orc.*\.orc is orc/);
    for (const type of ['variant', 'geometry', 'geography']) {
      const fields = JSON.stringify([{ id: 1, name: 'value', required: false, type }]);
      const made = lake.java(
        `java_create('foreign.of_${type}', {'fields': json.loads('${fields}')}, properties={'format-version': '3'})`,
      );
      await expect(made).rejects.toThrow(new RegExp(type));
    }
  });

  describe('that Icecore makes are read by others', () => {
    test.each(ownFeatures)('$feature', async ({ feature, table, make, isUnknownToSpark = false, check }) => {
      await make(lake);
      const ours = await lake.ourRows(table);
      if (!isUnknownToSpark) expect(await lake.sparkRows(table), table).toEqual(ours);
      const spark: Reading = isUnknownToSpark ? { refused: 'Spark 3.5 has no such type.' } : 'equal';
      expect(await lake.javaRows(table), table).toEqual(ours);
      const pyiceberg = pyicebergReading(await lake.pyicebergRows(table).catch((error: Error) => error), ours);
      await check?.(lake);
      written.push({ feature, readings: [spark, 'equal', pyiceberg] });
    });
  });
});

async function measured(lake: ForeignLake, { measure = 'spark' }: ForeignFeature, table: string): Promise<readonly string[]> {
  if (measure === 'java') return await lake.javaRows(table);
  return await lake.sparkRows(measure === 'spark' ? table : measure);
}

async function expectSameFiltered(lake: ForeignLake, table: string, filters: readonly string[]): Promise<void> {
  if (filters.length === 0) return;
  for (const [at, theirs] of (await lake.sparkRowsWhere(table, filters)).entries()) {
    const where = filters[at] ?? '';
    expect(await lake.ourRows(table, { where }), `${table} where ${where}`).toEqual(theirs);
  }
}
