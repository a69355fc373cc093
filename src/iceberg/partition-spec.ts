import { IcecoreError } from '../errors.ts';
import { columnPath, fieldById, fieldByName, isSingleValued, requireField, type Schema } from './schema.ts';
import { canTransform, type ParsedTransform, parseTransform, printTransform, transformResultType } from './transform.ts';
import type { NestedField, PrimitiveType } from './type.ts';
import { printTypeText } from './type-text.ts';

/** `identity`, `bucket[N]`, `truncate[W]`, `year`, `month`, `day`, `hour`, `void`, or the text of one that is not known. */
export type Transform = string;

export interface PartitionField {
  readonly fieldId: number;
  readonly sourceId: number;
  readonly name: string;
  readonly transform: Transform;
}

/** How rows map to partitions (spec: "Partitioning"). */
export interface PartitionSpec {
  readonly specId: number;
  readonly fields: readonly PartitionField[];
}

export const unpartitioned: PartitionSpec = { specId: 0, fields: [] };
/** Ids of partition fields begin here; a table that never had one keeps the id before it as its last. */
export const firstPartitionFieldId = 1000;

export interface PartitionInput {
  readonly column: string;
  readonly transform: string;
}

/**
 * The spec that partitions by these columns: an existing one where one is the same, else the next, its field ids from 1000 on
 * and taken over from earlier fields with the same column and transform. Throws BAD_USER_INPUT for a column that is not
 * there or of the wrong type, for a transform that is not known and for a name that is taken.
 */
export function buildPartitionSpec(
  schema: Schema,
  inputs: readonly PartitionInput[],
  lastPartitionId = firstPartitionFieldId - 1,
  existingSpecs: readonly PartitionSpec[] = [],
): PartitionSpec {
  const unassigned = inputs.map(({ column, transform: text }): PartitionField => {
    const source = requireField(schema, column);
    const transform = requireTransform(text);
    return {
      fieldId: 0,
      sourceId: source.id,
      name: partitionFieldName(column, transform),
      transform: printTransform(transform),
    };
  });
  const spec = assignPartitionFieldIds({ specId: 0, fields: unassigned }, lastPartitionId, existingSpecs);
  checkPartitionSpec(spec, schema);
  return { ...spec, specId: specIdFor(spec, existingSpecs) };
}

function requireTransform(text: string): ParsedTransform {
  const transform = parseTransform(text);
  if (transform.kind === 'unknown') {
    throw new IcecoreError(
      'BAD_USER_INPUT',
      `"${text}" is no transform. There are identity, year, month, day, hour, bucket[N], truncate[W] and void.`,
    );
  }
  return transform;
}

const suffixes = { bucket: '_bucket', truncate: '_trunc', void: '_null', identity: '' } as const;

function partitionFieldName(column: string, { kind }: ParsedTransform): string {
  return kind in suffixes ? `${column}${suffixes[kind as keyof typeof suffixes]}` : `${column}_${kind}`;
}

/** Fills in field ids that are below 1000: those of an equal (column, transform) of an earlier spec, else new ones. */
export function assignPartitionFieldIds(
  spec: PartitionSpec,
  lastPartitionId: number,
  existingSpecs: readonly PartitionSpec[],
): PartitionSpec {
  let last = Math.max(lastPartitionId, firstPartitionFieldId - 1);
  const key = (field: PartitionField) => `${field.sourceId} ${field.transform}`;
  const known = new Map(
    existingSpecs.flatMap((existing) => existing.fields.map((field) => [key(field), field.fieldId] as const)),
  );
  const fields = spec.fields.map((field) => {
    if (field.fieldId >= firstPartitionFieldId) return field;
    const fieldId = known.get(key(field)) ?? ++last;
    return { ...field, fieldId };
  });
  return { ...spec, fields };
}

/** The id of the existing spec with the same fields, else the next free one. */
export function specIdFor(spec: PartitionSpec, existingSpecs: readonly PartitionSpec[]): number {
  const same = existingSpecs.find((existing) => samePartitioning(existing, spec));
  return same?.specId ?? existingSpecs.reduce((next, existing) => Math.max(next, existing.specId + 1), 0);
}

function samePartitioning(left: PartitionSpec, right: PartitionSpec): boolean {
  return (
    left.fields.length === right.fields.length &&
    left.fields.every((field, index) => {
      const other = right.fields[index];
      return field.sourceId === other?.sourceId && field.transform === other.transform && field.name === other.name;
    })
  );
}

const dateKinds: ReadonlySet<string> = new Set(['year', 'month', 'day', 'hour']);

/** Throws BAD_USER_INPUT unless the spec can be written with this schema: sources, types, names and repetitions. */
export function checkPartitionSpec(spec: PartitionSpec, schema: Schema): void {
  const names = new Map<string, string>();
  const uses = new Map<string, string>();
  for (const field of spec.fields) {
    const transform = requireTransform(field.transform);
    const source = fieldById(schema, field.sourceId);
    // A v1 table keeps the fields of dropped columns as void.
    if (transform.kind !== 'void') checkSource(field, transform, source, schema);
    const path = columnPath(schema, field.sourceId) ?? `field ${field.sourceId}`;
    const what = `${field.transform} of ${path}`;
    if (field.name === '') throw refused(what, 'it needs a name');
    const taken = names.get(field.name);
    if (taken !== undefined) throw refused(what, `its name ${field.name} is that of ${taken} too`);
    const column = fieldByName(schema, field.name);
    if (column !== undefined && transform.kind !== 'void' && (transform.kind !== 'identity' || column.id !== field.sourceId)) {
      throw refused(what, `its name ${field.name} is that of another column; rename that column`);
    }
    const useKey = `${field.sourceId} ${dateKinds.has(transform.kind) ? 'date' : field.transform}`;
    const before = uses.get(useKey);
    if (before !== undefined && transform.kind !== 'void') throw refused(what, `${before} partitions by that already`);
    names.set(field.name, what);
    uses.set(useKey, what);
  }
}

/** Throws BAD_USER_INPUT where a field of the spec has no source in the schema that its transform takes. */
export function checkPartitionSources(spec: PartitionSpec, schema: Schema): void {
  for (const field of spec.fields) {
    const transform = parseTransform(field.transform);
    // What a transform of a later version takes is not known here.
    const isOpen = transform.kind === 'void' || transform.kind === 'unknown';
    if (!isOpen) checkSource(field, transform, fieldById(schema, field.sourceId), schema);
  }
}

function checkSource(field: PartitionField, transform: ParsedTransform, source: NestedField | undefined, schema: Schema): void {
  if (source === undefined) {
    throw new IcecoreError(
      'BAD_USER_INPUT',
      `The partition field ${field.name} is made from field ${field.sourceId}, which is not there.`,
    );
  }
  const path = columnPath(schema, source.id) ?? source.name;
  if (!canTransform(transform, source.type)) {
    throw refused(`${field.transform} of ${path}`, `the transform does not take ${printTypeText(source.type)}`);
  }
  if (!isSingleValued(schema, source.id)) throw refused(`${field.transform} of ${path}`, 'a row holds many of it');
}

function refused(what: string, reason: string): IcecoreError {
  return new IcecoreError('BAD_USER_INPUT', `The table cannot be partitioned by ${what}: ${reason}.`);
}

/** The type of each partition value of a spec, in the order of its fields; `string` where the source column is gone. */
export function partitionTypes(spec: PartitionSpec, schema: Schema): readonly PrimitiveType[] {
  return spec.fields.map((field) => {
    const source = fieldById(schema, field.sourceId)?.type;
    return typeof source === 'string' ? transformResultType(field.transform, source) : 'string';
  });
}

/** The greatest field id of a spec, 999 for one without fields. */
export function lastPartitionFieldId(spec: PartitionSpec): number {
  return spec.fields.reduce((last, field) => Math.max(last, field.fieldId), firstPartitionFieldId - 1);
}
