import { columnIdMax } from '../limits.ts';
import { currentSchema, defaultSortOrder, defaultSpec, schemaById, specById } from './metadata.ts';
import { type MetadataDraft, refuseUpdate, withMembers } from './metadata-draft.ts';
import {
  assignPartitionFieldIds,
  checkPartitionSources,
  checkPartitionSpec,
  firstPartitionFieldId,
  lastPartitionFieldId,
  type PartitionSpec,
  specIdFor,
} from './partition-spec.ts';
import { checkSchema, checkSchemaVersion, highestFieldId, type Schema, sameSchema } from './schema.ts';
import { checkSortOrder, type SortOrder, sortOrderIdFor } from './sort-order.ts';
import { parseTransform } from './transform.ts';

/**
 * Adds a schema under the next free id, unless there is the same one already; that then counts as the one added last. The last column id
 * never goes back: clients give that of the schema alone, which is lower once a column was dropped.
 */
export function addSchema(draft: MetadataDraft, schema: Schema, givenLastColumnId?: number): MetadataDraft {
  const { metadata } = draft;
  checkSchema(schema);
  checkSchemaVersion(schema, metadata.formatVersion);
  const lastColumnId = Math.max(givenLastColumnId ?? 0, metadata.lastColumnId, highestFieldId(schema));
  if (lastColumnId > columnIdMax) throw refuseUpdate(`the last column id ${lastColumnId} is above ${columnIdMax}`);
  const same = metadata.schemas.find((existing) => sameSchema(existing, schema));
  const schemaId = same?.schemaId ?? metadata.schemas.reduce((next, existing) => Math.max(next, existing.schemaId + 1), 0);
  if (same !== undefined && lastColumnId === metadata.lastColumnId) return { ...draft, lastAddedSchemaId: schemaId };
  const schemas = same === undefined ? [...metadata.schemas, { ...schema, schemaId }] : metadata.schemas;
  return { ...withMembers(draft, { schemas, lastColumnId }), lastAddedSchemaId: schemaId };
}

export function setCurrentSchema(draft: MetadataDraft, schemaId: number): MetadataDraft {
  const id = schemaId === -1 ? draft.lastAddedSchemaId : schemaId;
  if (id === null) throw refuseUpdate('no schema has been added that could become the current one');
  if (schemaById(draft.metadata, id) === undefined) throw refuseUpdate(`there is no schema ${id}`);
  if (draft.metadata.currentSchemaId === id) return draft;
  return withMembers(draft, { currentSchemaId: id });
}

/** Adds a partition spec under the next free id, unless there is the same one already. Missing field ids are assigned. */
export function addSpec(draft: MetadataDraft, spec: PartitionSpec): MetadataDraft {
  const { metadata } = draft;
  const schema = schemaFor(draft, 'a partition spec');
  const assigned = assignPartitionFieldIds(spec, metadata.lastPartitionId, metadata.partitionSpecs);
  const specId = specIdFor(assigned, metadata.partitionSpecs);
  if (specById(metadata, specId) !== undefined) return { ...draft, lastAddedSpecId: specId };
  checkPartitionSpec(assigned, schema);
  if (new Set(assigned.fields.map((field) => field.fieldId)).size < assigned.fields.length) {
    throw refuseUpdate('two partition fields have the same field id');
  }
  const isInOrder = assigned.fields.every((field, index) => field.fieldId === firstPartitionFieldId + index);
  if (metadata.formatVersion === 1 && !isInOrder) {
    throw refuseUpdate('a table of format version 1 numbers its partition fields from 1000 without a gap');
  }
  const partitionSpecs = [...metadata.partitionSpecs, { ...assigned, specId }];
  const lastPartitionId = Math.max(metadata.lastPartitionId, lastPartitionFieldId(assigned));
  return { ...withMembers(draft, { partitionSpecs, lastPartitionId }), lastAddedSpecId: specId };
}

/** The schema whose columns something new is about: of a table that is being created, DuckDB says last which schema is the current one. */
function schemaFor({ metadata, lastAddedSchemaId }: MetadataDraft, what: string): Schema {
  const schema = schemaById(metadata, metadata.currentSchemaId === -1 ? (lastAddedSchemaId ?? -1) : metadata.currentSchemaId);
  if (schema === undefined) throw refuseUpdate(`${what} comes after the schema it is for`);
  return schema;
}

export function setDefaultSpec(draft: MetadataDraft, specId: number): MetadataDraft {
  const id = specId === -1 ? draft.lastAddedSpecId : specId;
  if (id === null) throw refuseUpdate('no partition spec has been added that could become the default');
  if (specById(draft.metadata, id) === undefined) throw refuseUpdate(`there is no partition spec ${id}`);
  if (draft.metadata.defaultSpecId === id) return draft;
  return withMembers(draft, { defaultSpecId: id });
}

/** Adds a sort order under the next free id, unless there is the same one already. */
export function addSortOrder(draft: MetadataDraft, order: SortOrder): MetadataDraft {
  const { metadata } = draft;
  const schema = schemaFor(draft, 'a sort order');
  const orderId = sortOrderIdFor(order, metadata.sortOrders);
  if (metadata.sortOrders.some((existing) => existing.orderId === orderId)) return { ...draft, lastAddedSortOrderId: orderId };
  checkSortOrder(order, schema);
  const sortOrders = [...metadata.sortOrders, { ...order, orderId }];
  return { ...withMembers(draft, { sortOrders }), lastAddedSortOrderId: orderId };
}

export function setDefaultSortOrder(draft: MetadataDraft, sortOrderId: number): MetadataDraft {
  const id = sortOrderId === -1 ? draft.lastAddedSortOrderId : sortOrderId;
  if (id === null) throw refuseUpdate('no sort order has been added that could become the default');
  if (!draft.metadata.sortOrders.some((order) => order.orderId === id)) throw refuseUpdate(`there is no sort order ${id}`);
  if (draft.metadata.defaultSortOrderId === id) return draft;
  return withMembers(draft, { defaultSortOrderId: id });
}

/** Removes partition specs that no file needs any more, which only who reads the manifests knows. Throws BAD_USER_INPUT for the default one. */
export function removeSpecs(draft: MetadataDraft, specIds: readonly number[]): MetadataDraft {
  const { defaultSpecId, partitionSpecs } = draft.metadata;
  if (specIds.includes(defaultSpecId)) throw refuseUpdate('the default partition spec cannot be removed');
  const removed = new Set(specIds);
  const kept = partitionSpecs.filter((spec) => !removed.has(spec.specId));
  return kept.length === partitionSpecs.length ? draft : withMembers(draft, { partitionSpecs: kept });
}

/** Removes schemas. Throws BAD_USER_INPUT for the current one and those that snapshots were written with. */
export function removeSchemas(draft: MetadataDraft, schemaIds: readonly number[]): MetadataDraft {
  const { currentSchemaId, schemas, snapshots } = draft.metadata;
  if (schemaIds.includes(currentSchemaId)) throw refuseUpdate('the current schema cannot be removed');
  const removed = new Set(schemaIds);
  const user = snapshots.find(({ schemaId }) => schemaId !== null && removed.has(schemaId));
  if (user !== undefined) {
    throw refuseUpdate(`schema ${user.schemaId} cannot be removed while snapshot ${user.snapshotId}, which has it, is there`);
  }
  const kept = schemas.filter((schema) => !removed.has(schema.schemaId));
  return kept.length === schemas.length ? draft : withMembers(draft, { schemas: kept });
}

/** Throws BAD_USER_INPUT where the default spec or sort order, or the schema they are for, is a new one and they do not fit. */
export function checkDefaults({ base, metadata }: MetadataDraft): void {
  const schema = currentSchema(metadata);
  const isNewSchema = base === null || base.currentSchemaId !== metadata.currentSchemaId;
  if (isNewSchema || base.defaultSpecId !== metadata.defaultSpecId) checkPartitionSources(defaultSpec(metadata), schema);
  if (isNewSchema || base.defaultSortOrderId !== metadata.defaultSortOrderId) {
    const order = defaultSortOrder(metadata);
    // What a transform of a later version takes is not known here.
    const known = order.fields.filter(({ transform }) => parseTransform(transform).kind !== 'unknown');
    checkSortOrder({ ...order, fields: known }, schema);
  }
}
