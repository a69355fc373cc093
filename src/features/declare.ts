import { IcecoreError } from '../errors.ts';
import { columnNames, type Schema } from '../iceberg/schema.ts';
import type { NestedField, Type } from '../iceberg/type.ts';
import { printTypeText } from '../iceberg/type-text.ts';
import type { DeclaredColumn, FeatureDeclaration } from './feature-declaration.ts';
import { isInstantType } from './point-in-time/instant.ts';

/** The roles of a feature table's columns, by name, as a caller declares them. */
export interface DeclaredNames {
  readonly entityKeys: readonly string[];
  readonly eventTime: string;
  readonly knownTime: string | null;
  readonly sequence: string | null;
}

type ColumnRoles = Pick<FeatureDeclaration, 'entityKeys' | 'eventTime' | 'knownTime' | 'sequence'>;

/**
 * The declared columns by field id. Throws BAD_USER_INPUT, naming the table and the column, where a column does not exist, a key
 * has a type without exact equality, a time is none, one column plays two roles, or no feature is left.
 */
export function resolveRoles(table: string, schema: Schema, names: DeclaredNames): ColumnRoles {
  if (names.entityKeys.length === 0) {
    throw refuse(table, 'it declares no entity keys, so nothing could be joined to it. Name the columns that identify an entity');
  }
  const taken = new Map<number, string>();
  const take = (name: string, role: string): NestedField => {
    const field = schema.fields.find((candidate) => candidate.name === name);
    if (field === undefined) {
      throw refuse(
        table,
        `it has no column ${name}, which is named as ${role}. Its columns are ${columnNames(schema).join(', ')}`,
      );
    }
    const before = taken.get(field.id);
    if (before !== undefined)
      throw refuse(table, `${name} is named as ${before} and as ${role}. Give each role a column of its own`);
    taken.set(field.id, role);
    return field;
  };
  const entityKeys = names.entityKeys.map((name) => requireKey(table, take(name, 'an entity key')));
  const eventTime = requireTime(table, take(names.eventTime, 'the event time'), 'the event time');
  const knownTime =
    names.knownTime === null ? null : requireTime(table, take(names.knownTime, 'the known time'), 'the known time');
  const sequence = names.sequence === null ? null : requireSequence(table, take(names.sequence, 'the sequence'));
  if (schema.fields.every((field) => taken.has(field.id))) {
    throw refuse(table, 'it has no feature: every column is a key, a time or the sequence. Add a column with a value');
  }
  return { entityKeys, eventTime, knownTime, sequence };
}

function requireKey(table: string, field: NestedField): DeclaredColumn {
  const type = field.type;
  if (typeof type !== 'string' || type === 'float' || type === 'double' || type === 'unknown') {
    throw refuse(
      table,
      `its entity key ${field.name} is of type ${printTypeText(type)}, of which no two values are surely equal. Use an integer, a decimal, a string, a uuid, binary, a boolean, a date or a time`,
    );
  }
  return { id: field.id, name: field.name };
}

function requireTime(table: string, field: NestedField, role: string): DeclaredColumn {
  if (!isInstantType(field.type)) {
    throw refuse(table, `${role} ${field.name} is of type ${printTypeText(field.type)}. A date or a timestamp is needed`);
  }
  return { id: field.id, name: field.name };
}

function requireSequence(table: string, field: NestedField): DeclaredColumn {
  if (!isOrdered(field.type)) {
    throw refuse(
      table,
      `the sequence ${field.name} is of type ${printTypeText(field.type)}, which has no order to rely on. An integer is best`,
    );
  }
  return { id: field.id, name: field.name };
}

function isOrdered(type: Type): boolean {
  return typeof type === 'string' && type !== 'float' && type !== 'double' && type !== 'unknown';
}

function refuse(table: string, reason: string): IcecoreError {
  return new IcecoreError('BAD_USER_INPUT', `${table} cannot be a feature table: ${reason}.`, {
    context: { featureTable: table },
  });
}
