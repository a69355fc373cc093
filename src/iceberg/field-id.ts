import type { Schema } from './schema.ts';
import type { NestedField, Type } from './type.ts';

/** Gives the field all new ids come from; called once for each field, element, key and value, a level before what is below it. */
export type AssignId = (oldId: number) => number;

/** The same type with new ids throughout. */
export function assignTypeIds(type: Type, assignId: AssignId): Type {
  if (typeof type === 'string') return type;
  switch (type.kind) {
    case 'struct':
      return { kind: 'struct', fields: assignFieldIds(type.fields, assignId) };
    case 'list': {
      const elementId = assignId(type.elementId);
      return { ...type, elementId, element: assignTypeIds(type.element, assignId) };
    }
    case 'map': {
      const keyId = assignId(type.keyId);
      const valueId = assignId(type.valueId);
      return { ...type, keyId, valueId, key: assignTypeIds(type.key, assignId), value: assignTypeIds(type.value, assignId) };
    }
  }
}

function assignFieldIds(fields: readonly NestedField[], assignId: AssignId): readonly NestedField[] {
  const withIds = fields.map((field) => ({ ...field, id: assignId(field.id) }));
  return withIds.map((field) => ({ ...field, type: assignTypeIds(field.type, assignId) }));
}

/**
 * The schema with ids from `firstId` on, level by level, as new tables have them: all columns first, then what is nested in
 * them. A schema whose ids are already so is unchanged.
 */
export function assignFreshIds(schema: Schema, firstId = 1): Schema {
  const newIds = new Map<number, number>();
  let next = firstId;
  const fields = assignFieldIds(schema.fields, (oldId) => {
    newIds.set(oldId, next);
    return next++;
  });
  return { ...schema, fields, identifierFieldIds: schema.identifierFieldIds.map((id) => newIds.get(id) ?? id) };
}
