import { printIdentifier } from '../iceberg/identifier.ts';
import { currentSchema } from '../iceberg/metadata.ts';
import { printTypeText } from '../iceberg/type-text.ts';
import type { Table } from '../tables/table.ts';
import { columnNameIn, type FeatureDeclaration, parseDeclaration, structuralIds } from './feature-declaration.ts';
import type { Feature, FeatureTable } from './feature-table.ts';

/** The table as a feature table, columns by the names they have now; null where it declares nothing. */
export function featureTableOf(table: Table): FeatureTable | null {
  const declaration = parseDeclaration(table.metadata);
  if (declaration === null) return null;
  const schema = currentSchema(table.metadata);
  const described = Object.entries(declaration.featureDescriptions).flatMap(([id, text]) => {
    const field = schema.fields.find((candidate) => String(candidate.id) === id);
    return field === undefined ? [] : [[field.name, text] as const];
  });
  return {
    tableUuid: table.uuid,
    name: printIdentifier(table.identifier),
    entityKeys: declaration.entityKeys.map((key) => columnNameIn(schema, key)),
    eventTime: columnNameIn(schema, declaration.eventTime),
    knownTime: declaration.knownTime === null ? null : columnNameIn(schema, declaration.knownTime),
    sequence: declaration.sequence === null ? null : columnNameIn(schema, declaration.sequence),
    timeToLiveMicros: declaration.timeToLiveMicros,
    description: declaration.description,
    owner: declaration.owner,
    tags: declaration.tags,
    featureDescriptions: Object.fromEntries(described),
    definition: declaration.definition,
    definitionEngine: declaration.definitionEngine,
  };
}

/** The features of a feature table, in the order of its columns; none where it declares nothing. */
export function featuresOf(table: Table): readonly Feature[] {
  const declaration = parseDeclaration(table.metadata);
  if (declaration === null) return [];
  const structural = structuralIds(declaration);
  return currentSchema(table.metadata)
    .fields.filter((field) => !structural.has(field.id))
    .map((field) => ({
      tableUuid: table.uuid,
      tableName: printIdentifier(table.identifier),
      fieldId: field.id,
      name: field.name,
      type: printTypeText(field.type),
      description: descriptionOf(declaration, field.id) ?? field.doc ?? null,
      tags: {},
    }));
}

function descriptionOf(declaration: FeatureDeclaration, fieldId: number): string | undefined {
  const key = String(fieldId);
  return Object.hasOwn(declaration.featureDescriptions, key) ? declaration.featureDescriptions[key] : undefined;
}
