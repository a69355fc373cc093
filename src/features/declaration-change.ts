import { IcecoreError } from '../errors.ts';
import { currentSchema, type TableMetadata } from '../iceberg/metadata.ts';
import { definitionEngine } from './definition.ts';
import { type FeatureDeclaration, parseDeclaration } from './feature-declaration.ts';

/** What is undefined stays as it is; what is null is taken away. */
export interface FeatureTableChange {
  readonly name: string;
  readonly timeToLiveMicros?: bigint | null | undefined;
  readonly description?: string | null | undefined;
  readonly owner?: string | null | undefined;
  readonly tags?: unknown;
  /** An object of texts by feature name; features not named keep theirs, null takes one away. */
  readonly featureDescriptions?: unknown;
  readonly definition?: string | null | undefined;
  /** Of the definition that is given; filled in from its text. */
  readonly definitionReads?: readonly string[] | undefined;
}

/** Tags as they were given. Throws BAD_USER_INPUT where they are no object. */
export function tagsOf(tags: unknown): Readonly<Record<string, unknown>> {
  if (tags === null || tags === undefined) return {};
  if (typeof tags === 'object' && !Array.isArray(tags)) return tags as Readonly<Record<string, unknown>>;
  throw new IcecoreError('BAD_USER_INPUT', 'Tags are an object, such as {"team": "routing"}.');
}

/** The declaration after a change. Throws NOT_FOUND where there is none, BAD_USER_INPUT where the change does not fit. */
export function changedDeclaration(name: string, metadata: TableMetadata, change: FeatureTableChange): FeatureDeclaration {
  const before = parseDeclaration(metadata);
  if (before === null) {
    throw new IcecoreError(
      'NOT_FOUND',
      `${name} is no feature table: it declares no entity keys. Declare them with createFeatureTable.`,
    );
  }
  const kept = <T>(value: T | undefined, old: T): T => (value === undefined ? old : value);
  const definition = kept(change.definition, before.definition);
  return {
    ...before,
    timeToLiveMicros: kept(change.timeToLiveMicros, before.timeToLiveMicros),
    description: kept(change.description, before.description),
    owner: kept(change.owner, before.owner),
    tags: change.tags === undefined ? before.tags : tagsOf(change.tags),
    featureDescriptions: describedFeatures(name, metadata, before, change.featureDescriptions),
    definition,
    definitionReads: change.definition === undefined ? before.definitionReads : (change.definitionReads ?? null),
    definitionEngine: definition === null ? null : definitionEngine,
  };
}

function describedFeatures(
  name: string,
  metadata: TableMetadata,
  before: FeatureDeclaration,
  given: unknown,
): Readonly<Record<string, string>> {
  if (given === undefined || given === null) return before.featureDescriptions;
  if (typeof given !== 'object' || Array.isArray(given)) {
    throw new IcecoreError('BAD_USER_INPUT', 'featureDescriptions is an object of texts by feature name.');
  }
  const descriptions: Record<string, string> = { ...before.featureDescriptions };
  for (const [feature, text] of Object.entries(given)) {
    const field = currentSchema(metadata).fields.find((candidate) => candidate.name === feature);
    if (field === undefined) throw new IcecoreError('BAD_USER_INPUT', `${name} has no feature ${feature} to describe.`);
    if (text === null) delete descriptions[String(field.id)];
    else if (typeof text === 'string') descriptions[String(field.id)] = text;
    else throw new IcecoreError('BAD_USER_INPUT', `The description of ${feature} is no text.`);
  }
  return descriptions;
}
