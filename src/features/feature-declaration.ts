import { IcecoreError } from '../errors.ts';
import { parseJson } from '../iceberg/json.ts';
import type { TableMetadata } from '../iceberg/metadata.ts';
import { fieldById, type Schema } from '../iceberg/schema.ts';
import { canonicalJson } from '../ledger/canonical-json.ts';
import { definitionProperty, definitionReadsProperty } from '../tables/shown-metadata.ts';

/** A column as a declaration names it: the id is what counts, so that a rename changes nothing; the name is for people. */
export interface DeclaredColumn {
  readonly id: number;
  readonly name: string;
}

/** What makes a table a feature table. Lives in its properties, `icecore.feature.*`, so it travels with the table. */
export interface FeatureDeclaration {
  readonly entityKeys: readonly DeclaredColumn[];
  readonly eventTime: DeclaredColumn;
  readonly knownTime: DeclaredColumn | null;
  readonly sequence: DeclaredColumn | null;
  readonly timeToLiveMicros: bigint | null;
  readonly description: string | null;
  readonly owner: string | null;
  readonly tags: Readonly<Record<string, unknown>>;
  /** Descriptions of features by field id. */
  readonly featureDescriptions: Readonly<Record<string, string>>;
  readonly definition: string | null;
  /** The printed names of the tables that it reads; empty without one, null where nobody recorded them. */
  readonly definitionReads: readonly string[] | null;
  readonly definitionEngine: string | null;
}

const prefix = 'icecore.feature.';
const keysProperty = `${prefix}entity-keys`;

/** Where the next materialisation goes on: the end of the last one's window, in microseconds. */
export const materializedToProperty = `${prefix}materialized-to-micros`;

export function isFeatureTable(metadata: TableMetadata): boolean {
  return metadata.properties[keysProperty] !== undefined;
}

/** The properties that say it, all others of a declaration's to be removed. */
export function printDeclaration(declaration: FeatureDeclaration): {
  readonly updates: Readonly<Record<string, string>>;
  readonly removals: readonly string[];
} {
  const { definitionReads, knownTime, sequence, timeToLiveMicros, featureDescriptions } = declaration;
  const all: Readonly<Record<string, string | null>> = {
    [keysProperty]: JSON.stringify(declaration.entityKeys),
    [`${prefix}event-time`]: JSON.stringify(declaration.eventTime),
    [`${prefix}known-time`]: knownTime === null ? null : JSON.stringify(knownTime),
    [`${prefix}sequence`]: sequence === null ? null : JSON.stringify(sequence),
    [`${prefix}time-to-live-micros`]: timeToLiveMicros === null ? null : String(timeToLiveMicros),
    [`${prefix}description`]: declaration.description,
    [`${prefix}owner`]: declaration.owner,
    [`${prefix}tags`]: Object.keys(declaration.tags).length === 0 ? null : canonicalJson(declaration.tags),
    [`${prefix}descriptions`]: Object.keys(featureDescriptions).length === 0 ? null : canonicalJson(featureDescriptions),
    [definitionProperty]: declaration.definition,
    [definitionReadsProperty]:
      definitionReads === null || declaration.definition === null ? null : JSON.stringify(definitionReads),
    [`${prefix}definition-engine`]: declaration.definitionEngine,
  };
  const updates: Record<string, string> = {};
  const removals: string[] = [];
  for (const [name, value] of Object.entries(all)) {
    if (value === null) removals.push(name);
    else updates[name] = value;
  }
  return { updates, removals };
}

/** The declaration in a table's properties; null where there is none. Throws FAILED_PRECONDITION where somebody else broke it. */
export function parseDeclaration(metadata: TableMetadata): FeatureDeclaration | null {
  if (!isFeatureTable(metadata)) return null;
  const property = (name: string) => metadata.properties[`${prefix}${name}`] ?? null;
  const json = (name: string): unknown => {
    const text = property(name);
    return text === null ? null : parseJson(text);
  };
  try {
    const timeToLive = property('time-to-live-micros');
    return {
      entityKeys: (json('entity-keys') as readonly unknown[]).map((value) => column(value)),
      eventTime: column(json('event-time')),
      knownTime: optionalColumn(json('known-time')),
      sequence: optionalColumn(json('sequence')),
      timeToLiveMicros: timeToLive === null ? null : BigInt(timeToLive),
      description: property('description'),
      owner: property('owner'),
      tags: (json('tags') ?? {}) as Readonly<Record<string, unknown>>,
      featureDescriptions: (json('descriptions') ?? {}) as Readonly<Record<string, string>>,
      definition: property('definition'),
      definitionReads: json('definition-reads') as readonly string[] | null,
      definitionEngine: property('definition-engine'),
    };
  } catch (cause) {
    throw new IcecoreError(
      'FAILED_PRECONDITION',
      `The properties ${prefix}* of the table at ${metadata.location} do not declare a feature table. Declare it again with createFeatureTable.`,
      { cause },
    );
  }
}

function column(value: unknown): DeclaredColumn {
  const { id, name } = value as { readonly id: unknown; readonly name: unknown };
  if (!Number.isSafeInteger(Number(id)) || typeof name !== 'string')
    throw new TypeError('A declared column has an id and a name.');
  return { id: Number(id), name };
}

function optionalColumn(value: unknown): DeclaredColumn | null {
  return value === null ? null : column(value);
}

/** The name that a declared column has in a schema; the one it was declared under where it is gone. */
export function columnNameIn(schema: Schema, declared: DeclaredColumn): string {
  return fieldById(schema, declared.id)?.name ?? declared.name;
}

/** Ids of the columns that are no features: keys, times and sequence. */
export function structuralIds(declaration: FeatureDeclaration): ReadonlySet<number> {
  const { entityKeys, eventTime, knownTime, sequence } = declaration;
  return new Set([...entityKeys, eventTime, knownTime, sequence].flatMap((declared) => (declared === null ? [] : [declared.id])));
}
