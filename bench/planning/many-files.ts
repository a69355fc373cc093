import type { DataFile } from '../../src/iceberg/data-file.ts';
import { parseIdentifier } from '../../src/iceberg/identifier.ts';
import { encodeSingleValue } from '../../src/iceberg/single-value.ts';
import { appendFiles } from '../../src/tables/actions/append-files.ts';
import type { Table } from '../../src/tables/table.ts';
import type { Warehouse } from '../../test/tables/warehouse.ts';

export const filesPerDay = 100;
/** Days from 1970: 2024-01-01. */
const firstDay = 19_723;
const columns = 12;
const rowsPerFile = 10_000n;

/** A table of `days` times a hundred files, partitioned by day, each with the metrics of twelve columns. The files are in its manifests alone. */
export async function makeManyFiles(
  warehouse: Warehouse,
  name: string,
  {
    days,
    daysPerCommit,
    isMerged = true,
  }: { readonly days: number; readonly daysPerCommit: number; readonly isMerged?: boolean },
): Promise<Table> {
  const measures = Array.from({ length: columns - 1 }, (_, index) => ({ name: `measure_${index}`, type: 'long' }));
  await warehouse.create(name, {
    columns: [{ name: 'day', type: 'date' }, ...measures],
    partitionBy: [{ column: 'day', transform: 'identity' }],
    properties: { 'commit.manifest-merge.enabled': String(isMerged) },
  });
  for (let from = 0; from < days; from += daysPerCommit) {
    const files = Array.from({ length: daysPerCommit * filesPerDay }, (_, index) => fileOf(from * filesPerDay + index));
    const transaction = warehouse.tables.transaction();
    transaction.change(await warehouse.load(name), appendFiles(files));
    await transaction.commit();
  }
  return await warehouse.tables.load(parseIdentifier(name));
}

function fileOf(number: number): DataFile {
  const day = firstDay + Math.floor(number / filesPerDay);
  const ids = Array.from({ length: columns }, (_, index) => index + 1);
  const counts = (count: bigint) => new Map(ids.map((id) => [id, count] as const));
  const bounds = (rise: number) =>
    new Map(
      ids.map((id) => {
        if (id === 1) return [id, encodeSingleValue('date', day)] as const;
        return [id, encodeSingleValue('long', BigInt(number * id + rise))] as const;
      }),
    );
  return {
    content: 'data',
    filePath: `file:///warehouse/bench/table/data/day=${day}/00000-${number}-9c12d441-03fe-4693-9a96-a0705ddf69c1-00001.parquet`,
    fileFormat: 'parquet',
    specId: 0,
    partition: [day],
    recordCount: rowsPerFile,
    fileSizeInBytes: 4_000_000n,
    columnSizes: counts(300_000n),
    valueCounts: counts(rowsPerFile),
    nullValueCounts: counts(0n),
    nanValueCounts: new Map(),
    lowerBounds: bounds(0),
    upperBounds: bounds(1000),
    keyMetadata: null,
    splitOffsets: [4n],
    equalityIds: null,
    sortOrderId: 0,
  };
}
