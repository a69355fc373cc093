import { IcecoreError } from '../../errors.ts';
import type { FeatureRef, FeatureSet, FrozenFeatureTable } from '../feature-set.ts';
import type { FeatureJoin, JoinKey, SelectedFeature, TypedColumn } from './plan.ts';

/** A feature table's rows at the snapshot that they are read at, whatever its columns are called there. */
export interface PinnedFeatureRows {
  /** What stands behind FROM. */
  readonly relation: string;
  /** The column of a field id, as the relation names it. Throws where that snapshot has none. */
  column(fieldId: number): TypedColumn;
}

/**
 * The joins of a feature set: one for each feature table and key map, in the order in which the set first names them, with
 * their features in the order of the set. A key that the key map does not name meets the spine's column of its own name.
 *
 * Under `matchStatus` a join's column is `<alias>__status` where its first feature has an alias, otherwise `<table>__status`
 * without the namespace.
 */
export function featureJoins(
  set: Pick<FeatureSet, 'features' | 'tables'>,
  rowsOf: (tableUuid: string) => PinnedFeatureRows,
): readonly FeatureJoin[] {
  const joins = new Map<string, { join: FeatureJoin; features: SelectedFeature[] }>();
  for (const [place, ref] of set.features.entries()) {
    const table = set.tables.find(({ tableUuid }) => tableUuid === ref.tableUuid);
    if (table === undefined)
      throw new IcecoreError('INTERNAL', `The feature set names ${ref.table} and did not freeze its declaration.`);
    const rows = rowsOf(ref.tableUuid);
    const entityKeys = joinKeys(table, ref, rows);
    const identity = JSON.stringify([ref.tableUuid, entityKeys.map(({ spineColumn }) => spineColumn)]);
    const known = joins.get(identity) ?? emptyJoin(table, ref, rows, entityKeys);
    known.features.push({ ...rows.column(ref.fieldId), alias: ref.alias, place });
    joins.set(identity, known);
  }
  return [...joins.values()].map(({ join }) => join);
}

function joinKeys(table: FrozenFeatureTable, ref: FeatureRef, rows: PinnedFeatureRows): readonly JoinKey[] {
  for (const { key } of ref.keyMap) {
    if (table.entityKeys.some(({ name }) => name === key)) continue;
    const names = table.entityKeys.map(({ name }) => name).join(', ');
    throw new IcecoreError(
      'BAD_USER_INPUT',
      `The key map of ${ref.alias} names ${key}, which is no entity key of ${ref.table}. It has ${names}.`,
    );
  }
  return table.entityKeys.map(({ fieldId, name }) => {
    const { column, type } = rows.column(fieldId);
    return { key: column, type, spineColumn: ref.keyMap.find(({ key }) => key === name)?.spineColumn ?? name };
  });
}

function emptyJoin(table: FrozenFeatureTable, ref: FeatureRef, rows: PinnedFeatureRows, entityKeys: readonly JoinKey[]) {
  const features: SelectedFeature[] = [];
  const column = (field: { readonly fieldId: number } | null) => (field === null ? null : rows.column(field.fieldId));
  const join: FeatureJoin = {
    relation: rows.relation,
    table: ref.table,
    entityKeys,
    eventTime: rows.column(table.eventTime.fieldId),
    knownTime: column(table.knownTime),
    sequence: column(table.sequence),
    timeToLiveMicros: table.timeToLiveMicros,
    features,
    statusColumn: `${ref.alias === ref.feature ? plainName(ref.table) : ref.alias}__status`,
  };
  return { join, features };
}

/** `hourly` of `features.hourly`, and `a.b` of `features."a.b"`. */
function plainName(table: string): string {
  const quoted = /"((?:[^"]|"")*)"$/.exec(table);
  return quoted?.[1]?.replaceAll('""', '"') ?? table.slice(table.lastIndexOf('.') + 1);
}
