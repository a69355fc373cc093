import { asArrayOf, asInt, asObject, asOneOf, asString, member } from './json-member.ts';
import { parseSourceId } from './partition-spec-json.ts';
import type { SortField, SortOrder } from './sort-order.ts';

/** Reads a sort order (spec: Appendix C, "Sort Orders"). Throws BAD_USER_INPUT. */
export function parseSortOrder(json: unknown, where: string): SortOrder {
  const object = asObject(json, where);
  const parseField = (value: unknown, at: string): SortField => {
    const field = asObject(value, at);
    return {
      sourceId: parseSourceId(field, at),
      transform: member(field, 'transform', asString, at),
      direction: member(field, 'direction', asOneOf('asc', 'desc'), at),
      nullOrder: member(field, 'null-order', asOneOf('nulls-first', 'nulls-last'), at),
    };
  };
  return {
    orderId: member(object, 'order-id', asInt, where),
    fields: member(object, 'fields', asArrayOf(parseField), where),
  };
}

export function printSortOrder(order: SortOrder): unknown {
  return {
    'order-id': order.orderId,
    fields: order.fields.map((field) => ({
      transform: field.transform,
      'source-id': field.sourceId,
      direction: field.direction,
      'null-order': field.nullOrder,
    })),
  };
}
