import { IcecoreError } from '../errors.ts';
import { printIdentifier } from '../iceberg/identifier.ts';
import { currentSchema } from '../iceberg/metadata.ts';
import type { Schema } from '../iceberg/schema.ts';
import { printTypeText } from '../iceberg/type-text.ts';
import { canonicalJson, sha256Hex } from '../ledger/canonical-json.ts';
import { nearNames } from '../tables/near-names.ts';
import type { Table } from '../tables/table.ts';
import { type DeclaredColumn, type FeatureDeclaration, parseDeclaration, structuralIds } from './feature-declaration.ts';
import type { FeatureRef, FeatureSet, FrozenFeatureTable, KeyMapping } from './feature-set.ts';

/** A feature as a caller asks for it. */
export interface FeatureRequest {
  readonly table: string;
  readonly feature: string;
  readonly alias?: string | null;
  /** Keys left out join to the spine's column of their own name. */
  readonly keyMap?: readonly KeyMapping[] | null;
}

export type FrozenFeatures = Pick<FeatureSet, 'features' | 'tables' | 'hash'>;

/**
 * What a version of a feature set keeps of these features, from the tables as they are declared now (semantics, section 1).
 * `tables` are by their printed names. Throws BAD_USER_INPUT for an unknown feature or key and for names that clash,
 * FAILED_PRECONDITION for a table that is no feature table.
 */
export function freezeFeatures(requests: readonly FeatureRequest[], tables: ReadonlyMap<string, Table>): FrozenFeatures {
  if (requests.length === 0) throw refuse('A feature set needs at least one feature. Name one.');
  const features = requests.map((request) => freezeFeature(request, requireTable(tables, request.table)));
  refuseClashes(features);
  const used = [...new Set(requests.map((request) => request.table))].map((name) => freezeTable(requireTable(tables, name)));
  const frozen = [...new Map(used.map((table) => [table.tableUuid, table])).values()];
  return { features, tables: frozen, hash: featureSetHash(features, frozen) };
}

/** Hex SHA-256 over the canonical JSON of what a version froze. Names that people gave to tables do not count: their ids do. */
export function featureSetHash(features: readonly FeatureRef[], tables: readonly FrozenFeatureTable[]): string {
  return sha256Hex(canonicalJson({ features, tables }));
}

function requireTable(tables: ReadonlyMap<string, Table>, name: string): Table {
  const table = tables.get(name);
  if (table === undefined) throw new IcecoreError('NOT_FOUND', `There is no table ${name}.`, { context: { table: name } });
  return table;
}

function requireDeclaration(table: Table): FeatureDeclaration {
  const declaration = parseDeclaration(table.metadata);
  if (declaration !== null) return declaration;
  const name = printIdentifier(table.identifier);
  throw new IcecoreError(
    'FAILED_PRECONDITION',
    `${name} is no feature table: it declares no entity keys and no event time. Declare them with createFeatureTable.`,
    { context: { table: name } },
  );
}

function freezeFeature(request: FeatureRequest, table: Table): FeatureRef {
  const declaration = requireDeclaration(table);
  const schema = currentSchema(table.metadata);
  const structural = structuralIds(declaration);
  const name = printIdentifier(table.identifier);
  const features = schema.fields.filter((field) => !structural.has(field.id));
  const field = features.find((candidate) => candidate.name === request.feature);
  if (field === undefined) {
    const names = features.map((candidate) => candidate.name);
    const near = nearNames(request.feature, names);
    const hint = near.length === 0 ? `Its features are ${names.join(', ')}` : `Did you mean ${near.join(' or ')}`;
    throw refuse(`${name} has no feature ${request.feature}. ${hint}${near.length === 0 ? '.' : '?'}`);
  }
  return {
    tableUuid: table.uuid,
    table: name,
    fieldId: field.id,
    feature: field.name,
    alias: request.alias ?? field.name,
    type: printTypeText(field.type),
    keyMap: freezeKeyMap(name, schema, declaration, request.keyMap ?? []),
  };
}

function freezeKeyMap(
  table: string,
  schema: Schema,
  declaration: FeatureDeclaration,
  given: readonly KeyMapping[],
): readonly KeyMapping[] {
  const keys = declaration.entityKeys.map((key) => requireColumn(table, schema, key).name);
  for (const [index, { key }] of given.entries()) {
    if (!keys.includes(key)) throw refuse(`${key} is no entity key of ${table}. Its keys are ${keys.join(', ')}.`);
    if (given.findIndex((other) => other.key === key) !== index) throw refuse(`The key ${key} of ${table} is mapped twice.`);
  }
  return keys.map((key) => ({ key, spineColumn: given.find((mapping) => mapping.key === key)?.spineColumn ?? key }));
}

function freezeTable(table: Table): FrozenFeatureTable {
  const declaration = requireDeclaration(table);
  const schema = currentSchema(table.metadata);
  const name = printIdentifier(table.identifier);
  const frozen = (column: DeclaredColumn) => {
    const field = requireColumn(name, schema, column);
    return { fieldId: field.id, name: field.name, type: printTypeText(field.type) };
  };
  return {
    tableUuid: table.uuid,
    table: name,
    entityKeys: declaration.entityKeys.map(frozen),
    eventTime: frozen(declaration.eventTime),
    knownTime: declaration.knownTime === null ? null : frozen(declaration.knownTime),
    sequence: declaration.sequence === null ? null : frozen(declaration.sequence),
    timeToLiveMicros: declaration.timeToLiveMicros,
  };
}

function requireColumn(table: string, schema: Schema, column: DeclaredColumn) {
  const field = schema.fields.find((candidate) => candidate.id === column.id);
  if (field !== undefined) return field;
  throw new IcecoreError(
    'FAILED_PRECONDITION',
    `${table} has lost its column ${column.name}, which its declaration rests on. Declare the table again with createFeatureTable.`,
    { context: { table, column: column.name } },
  );
}

/** SQL engines read `Delay` and `delay` as one, so names differ in more than their case. */
function refuseClashes(features: readonly FeatureRef[]): void {
  const taken = new Map<string, FeatureRef>();
  for (const feature of features) {
    if (feature.alias.trim() === '') throw refuse(`The alias of ${feature.feature} of ${feature.table} is empty.`);
    const before = taken.get(feature.alias.toLowerCase());
    if (before !== undefined) {
      throw refuse(
        `The name ${feature.alias} would occur twice: for ${before.feature} of ${before.table} and for ${feature.feature} of ${feature.table}. Give one of them an alias.`,
      );
    }
    taken.set(feature.alias.toLowerCase(), feature);
  }
}

function refuse(message: string): IcecoreError {
  return new IcecoreError('BAD_USER_INPUT', message);
}
