import { IcecoreError } from '../errors.ts';
import type { TableMetadata } from './metadata.ts';
import type { PartitionSpec } from './partition-spec.ts';
import { fieldById, type Schema } from './schema.ts';
import { transformResultType } from './transform.ts';
import type { PrimitiveType } from './type.ts';

/** What of a table's metadata tells how its files are partitioned; `TableMetadata` has it all. */
export type TablePartitioning = Pick<TableMetadata, 'schemas' | 'currentSchemaId' | 'partitionSpecs'>;

/** Throws FAILED_PRECONDITION where the table has no spec of this id. */
export function requireSpec(table: TablePartitioning, specId: number): PartitionSpec {
  const spec = table.partitionSpecs.find((candidate) => candidate.specId === specId);
  if (spec !== undefined) return spec;
  const known = table.partitionSpecs.map((candidate) => candidate.specId).join(', ');
  throw new IcecoreError('FAILED_PRECONDITION', `The table has no partition spec ${specId}; it has ${known}.`, {
    context: { specId },
  });
}

/** The schema that new data is written with. */
export function currentSchema(table: Pick<TableMetadata, 'schemas' | 'currentSchemaId'>): Schema {
  const schema = table.schemas.find((candidate) => candidate.schemaId === table.currentSchemaId);
  if (schema === undefined) throw new IcecoreError('FAILED_PRECONDITION', `The table has no schema ${table.currentSchemaId}.`);
  return schema;
}

/** The types of a spec's partition values. A source column that was dropped is looked up in older schemas, the latest first. */
export function specValueTypes(table: TablePartitioning, spec: PartitionSpec): readonly PrimitiveType[] {
  const schemas = [currentSchema(table), ...table.schemas.toReversed()];
  return spec.fields.map(({ sourceId, transform }) => {
    for (const schema of schemas) {
      const source = fieldById(schema, sourceId)?.type;
      if (typeof source === 'string') return transformResultType(transform, source);
    }
    return 'string';
  });
}
