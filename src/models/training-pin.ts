import { IcecoreError } from '../errors.ts';
import { pinSnapshot } from '../tables/actions/pin-snapshot.ts';
import type { Table } from '../tables/table.ts';
import type { TableAction } from '../tables/table-action.ts';
import type { Tables } from '../tables/tables.ts';
import type { ModelVersion } from './model.ts';

/** The tag that holds a version's training snapshot. A model's name is made of characters that a tag may have. */
export function trainingPinTag(model: string, version: number): string {
  return `icecore-model-${model}-v${version}`;
}

/**
 * What pins the snapshot that a version was trained on (semantics, section 3); a training set's own pins hold what it was made from.
 * Throws NOT_FOUND where there is no such table.
 */
export async function trainingPin(
  tables: Tables,
  { model, version, trainingTable }: Pick<ModelVersion, 'model' | 'version' | 'trainingTable'>,
): Promise<{ readonly table: Table; readonly action: TableAction }> {
  const table = await tables.findByUuid(trainingTable.tableUuid);
  if (table === null) {
    throw new IcecoreError(
      'NOT_FOUND',
      `The training table ${trainingTable.tableName} (uuid ${trainingTable.tableUuid}) does not exist: a version is registered with data that is there.`,
      { context: { tableUuid: trainingTable.tableUuid } },
    );
  }
  return { table, action: pinSnapshot(trainingPinTag(model, version), trainingTable.snapshotId) };
}
