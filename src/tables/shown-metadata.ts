import type { Access } from '../access/access.ts';
import { parseIdentifier } from '../iceberg/identifier.ts';
import { parseJson } from '../iceberg/json.ts';
import { asArrayOf, asString } from '../iceberg/json-member.ts';
import type { TableMetadata } from '../iceberg/metadata.ts';
import { pinProperty } from './pin.ts';

/** The SELECT that a feature table is computed by, and what else tells of it. */
export const definitionProperty = 'icecore.feature.definition';
/** The names of the tables that it reads, as a JSON list. */
export const definitionReadsProperty = 'icecore.feature.definition-reads';
export const definitionProperties: readonly string[] = [
  definitionProperty,
  definitionReadsProperty,
  'icecore.feature.definition-engine',
];

/**
 * A table's metadata without the names of other tables that may not be read: pins of training sets keep holding their snapshots, under
 * names that say nothing; a definition shows where all the tables may be read that it reads.
 */
export function shownMetadata(access: Access, metadata: TableMetadata): TableMetadata {
  if (access.permissions.unrestricted) return metadata;
  const names = hiddenPins(access, metadata);
  const isDefinitionShown = showsDefinition(access, metadata.properties);
  if (names.size === 0 && isDefinitionShown) return metadata;
  const refs = Object.entries(metadata.refs).map(([name, ref]) => [names.get(name) ?? name, ref] as const);
  const properties = new Map(Object.entries(metadata.properties));
  for (const [tag, shown] of names) {
    const intervals = properties.get(pinProperty(tag));
    properties.delete(pinProperty(tag));
    if (intervals !== undefined) properties.set(pinProperty(shown), intervals);
  }
  if (!isDefinitionShown) for (const name of definitionProperties) properties.delete(name);
  return { ...metadata, refs: Object.fromEntries(refs), properties: Object.fromEntries(properties) };
}

/** A text about a table, such as a refusal, with the names of its pins as the caller may see them. */
export function shownText(access: Access, metadata: TableMetadata, text: string): string {
  if (access.permissions.unrestricted) return text;
  // Longer names first: one may be the beginning of another.
  const names = [...hiddenPins(access, metadata)].sort(([a], [b]) => b.length - a.length);
  return names.reduce((shown, [tag, name]) => shown.replaceAll(tag, name), text);
}

/**
 * The pins of training sets and runs that may not be seen, with what they show as. A run reads one table and writes another: its pin shows to
 * who may read all. A model version shows to whoever may read the table that it pins.
 */
function hiddenPins(access: Access, { refs, properties }: TableMetadata): ReadonlyMap<string, string> {
  const remembered = Object.keys(properties).filter((name) => name.startsWith(pinProperty('')));
  const tags = [...Object.keys(refs), ...remembered.map((name) => name.slice(pinProperty('').length))];
  const hidden = new Map<string, string>();
  for (const tag of new Set(tags)) {
    const isHidden = tag.startsWith('training-set/')
      ? !showsTrainingSet(access, tag)
      : tag.startsWith('icecore-run-') && !access.mayReadAll();
    if (isHidden) hidden.set(tag, `icecore-pin-${hidden.size + 1}`);
  }
  return hidden;
}

/** A training set is kept in the table `training.NAME`. */
function showsTrainingSet(access: Access, tag: string): boolean {
  const name = /^training-set\/(.+)\/v\d+(?:\/\d+)?$/.exec(tag)?.[1];
  return name !== undefined && access.mayRead({ namespace: ['training'], name });
}

function showsDefinition(access: Access, properties: TableMetadata['properties']): boolean {
  if (properties[definitionProperty] === undefined || access.mayReadAll()) return true;
  try {
    const reads = asArrayOf(asString)(parseJson(properties[definitionReadsProperty] ?? ''), definitionReadsProperty);
    return reads.every((name) => access.mayRead(parseIdentifier(name)));
  } catch {
    // Written before it was recorded what a definition reads, or by somebody else.
    return false;
  }
}
