import type { DataFile } from '../iceberg/data-file.ts';
import type { TableMetadata } from '../iceberg/metadata.ts';
import type { NestedField } from '../iceberg/type.ts';
import { quoteText } from '../sql/quote.ts';

/** Where format version 3 keeps a row's id and the sequence number of its last change in a file that the row was moved to (spec: "Reserved Field IDs"). */
export const rowIdField: NestedField = { id: 2147483540, name: '_row_id', type: 'long', required: false };
export const lastUpdatedField: NestedField = {
  id: 2147483539,
  name: '_last_updated_sequence_number',
  type: 'long',
  required: false,
};
export const lineageFields: readonly NestedField[] = [rowIdField, lastUpdatedField];

/** Of one data file. */
export interface FileLineage {
  /** Null in a table that was upgraded and not written to since: its rows have neither id nor a last change yet. */
  readonly firstRowId: bigint | null;
  readonly sequenceNumber: bigint;
}

export function hasRowLineage({ formatVersion }: TableMetadata): boolean {
  return formatVersion >= 3;
}

export function lineageOf(file: DataFile, sequenceNumber: bigint): FileLineage {
  return { firstRowId: file.firstRowId ?? null, sequenceNumber };
}

/**
 * The two columns for rows of `data`, and the relation to join for them: what the file says of the row, else what follows from the row's place
 * (spec: "Row Lineage"). `stored` is SQL for what the file says.
 */
export function lineageSql(
  files: readonly { readonly path: string; readonly lineage: FileLineage }[],
  file: string,
  stored: (field: NestedField) => string,
) {
  const values = files.map(
    ({ path, lineage }) => `(${quoteText(path)}, ${lineage.firstRowId ?? 'NULL'}::BIGINT, ${lineage.sequenceNumber}::BIGINT)`,
  );
  return {
    columns: [
      `coalesce(${stored(rowIdField)}, lineage.first_row_id + data.file_row_number) AS ${rowIdField.name}`,
      `CASE WHEN lineage.first_row_id IS NOT NULL THEN coalesce(${stored(lastUpdatedField)}, lineage.sequence_number) END AS ${lastUpdatedField.name}`,
    ],
    join: ` LEFT JOIN (VALUES ${values.join(', ')}) AS lineage(data_file, first_row_id, sequence_number) ON lineage.data_file = ${file}`,
  };
}
