import { IcecoreError } from '../errors.ts';
import type { FeatureSet } from '../features/feature-set.ts';
import type { FeatureVectors } from '../features/feature-table.ts';
import { type Spine, spinePosition } from '../features/point-in-time/plan.ts';
import type { Schema } from '../iceberg/schema.ts';
import type { NestedField } from '../iceberg/type.ts';
import { parseTypeText, printTypeText } from '../iceberg/type-text.ts';
import { featureVectorEntitiesMax } from '../limits.ts';
import { cellJson, type JsonValue } from '../sql/cell-json.ts';
import { loadJsonRows } from '../sql/json-rows.ts';
import { quoteIdentifier } from '../sql/quote.ts';
import { pinnedSnapshots, resolveFeaturePins, type TableAsOf } from './feature-pins.ts';
import { joinPointInTime } from './point-in-time-join.ts';
import type { SpineEngine } from './spine-source.ts';
import type { PointInTimeOptions } from './training-set.ts';

export interface FeatureVectorsRequest {
  readonly featureSet: FeatureSet;
  /** Objects of the set's keys, by the names of the spine's columns, in the contract's JSON forms. */
  readonly entities: readonly unknown[];
  readonly atMicros: bigint;
  readonly pins: readonly TableAsOf[];
  readonly options: PointInTimeOptions;
}

const moment = '__icecore_at';

/**
 * The features of entities at one moment: the rule of a training set with one spine row each (contract, `featureVectors`). One vector for
 * each entity, in their order. Throws BAD_USER_INPUT naming the entity that does not fit.
 */
export async function featureVectors(
  engine: SpineEngine,
  request: FeatureVectorsRequest,
  signal?: AbortSignal,
): Promise<FeatureVectors> {
  const { featureSet, entities } = request;
  if (entities.length > featureVectorEntitiesMax) {
    throw new IcecoreError(
      'COST_EXCEEDED',
      `${entities.length} entities are more than the ${featureVectorEntitiesMax} of one call. Make a training set of them.`,
    );
  }
  const keys = keyFields(featureSet);
  const schema = spineSchema(keys);
  const rows = entities.map((entity, index) => spineRow(entity, index, keys));
  const pins = await resolveFeaturePins(engine.tables, featureSet, request.pins);
  return await engine.duckdb.trusted.use(async (connection) => {
    const [entityTable, joined] = ['icecore_entities', 'icecore_vectors'];
    await loadJsonRows(connection, entityTable, schema, rows);
    const spine: Spine = {
      relation: `(SELECT *, make_timestamptz(${request.atMicros}) AS ${moment} FROM ${entityTable})`,
      eventTime: { column: moment, type: 'timestamptz' },
      columns: [...keys.map(({ name, type }) => ({ column: name, type })), { column: moment, type: 'timestamptz' }],
      labels: [],
    };
    const { options } = request;
    const columns = await joinPointInTime(engine.tables, { connection, featureSet, pins, spine, options, into: joined, signal });
    const answered = columns.slice(columns.findIndex(({ column }) => column === spinePosition) + 1);
    const names = answered.map(({ column }) => quoteIdentifier(column)).join(', ');
    const reader = await connection.runAndReadAll(`SELECT ${names} FROM ${joined} ORDER BY ${spinePosition}`);
    const vectors = reader.getRows().map((row): Readonly<Record<string, JsonValue>> => {
      const cells = answered.map(({ column, type }, index) => [column, cellJson(row[index] ?? null, type)] as const);
      return Object.fromEntries(cells);
    });
    return { vectors, snapshots: pinnedSnapshots(pins) };
  }, signal);
}

/** The keys that identify an entity of a set, as columns of a spine: one that several tables share comes once. */
export function keyFields(set: FeatureSet): readonly NestedField[] {
  const types = new Map<string, string>();
  for (const ref of set.features) {
    const table = set.tables.find(({ tableUuid }) => tableUuid === ref.tableUuid);
    for (const { name, type } of table?.entityKeys ?? []) {
      const column = ref.keyMap.find(({ key }) => key === name)?.spineColumn ?? name;
      const before = types.get(column);
      // Integers of both widths meet in the wider one; any other mixture the join refuses by name.
      types.set(column, before === undefined || before === 'int' ? type : before);
    }
  }
  return [...types].map(([name, type], index) => ({ id: index + 2, name, type: parseTypeText(type, () => 0), required: false }));
}

function spineSchema(keys: readonly NestedField[]): Schema {
  const position: NestedField = { id: 1, name: spinePosition, type: 'long', required: true };
  return { schemaId: 0, fields: [position, ...keys], identifierFieldIds: [] };
}

function spineRow(entity: unknown, index: number, keys: readonly NestedField[]): unknown {
  if (typeof entity !== 'object' || entity === null || Array.isArray(entity)) {
    throw new IcecoreError(
      'BAD_USER_INPUT',
      `Entity ${index} must be an object of the keys ${keys.map(({ name }) => name).join(', ')}.`,
    );
  }
  for (const { name, type } of keys) {
    if (Object.hasOwn(entity, name)) continue;
    throw new IcecoreError('BAD_USER_INPUT', `Entity ${index} lacks the key ${name} (${printTypeText(type)}).`);
  }
  if (Object.hasOwn(entity, spinePosition)) {
    throw new IcecoreError('BAD_USER_INPUT', `Entity ${index} has a member ${spinePosition}, which is none of its keys.`);
  }
  return { ...entity, [spinePosition]: BigInt(index) };
}
