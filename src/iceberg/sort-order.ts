import { IcecoreError } from '../errors.ts';
import { columnPath, fieldById, isSingleValued, type Schema } from './schema.ts';
import { canTransform, parseTransform } from './transform.ts';

export interface SortField {
  readonly sourceId: number;
  readonly transform: string;
  readonly direction: 'asc' | 'desc';
  readonly nullOrder: 'nulls-first' | 'nulls-last';
}

export interface SortOrder {
  readonly orderId: number;
  readonly fields: readonly SortField[];
}

/** Order 0 is always the unsorted one (spec: "Sorting"). */
export const unsorted: SortOrder = { orderId: 0, fields: [] };

/** The id of the existing order with the same fields, else the next free one; 0 for none at all. */
export function sortOrderIdFor(order: SortOrder, existing: readonly SortOrder[]): number {
  if (order.fields.length === 0) return 0;
  const same = existing.find((other) => sameSorting(other, order));
  return same?.orderId ?? existing.reduce((next, other) => Math.max(next, other.orderId + 1), 1);
}

function sameSorting(left: SortOrder, right: SortOrder): boolean {
  return (
    left.fields.length === right.fields.length &&
    left.fields.every((field, index) => {
      const other = right.fields[index];
      return (
        field.sourceId === other?.sourceId &&
        field.transform === other.transform &&
        field.direction === other.direction &&
        field.nullOrder === other.nullOrder
      );
    })
  );
}

/** Throws BAD_USER_INPUT unless rows of this schema can be sorted so. */
export function checkSortOrder(order: SortOrder, schema: Schema): void {
  for (const field of order.fields) {
    const source = fieldById(schema, field.sourceId);
    if (source === undefined) {
      throw new IcecoreError('BAD_USER_INPUT', `The sort order uses field ${field.sourceId}, which is not there.`);
    }
    if (!canTransform(parseTransform(field.transform), source.type) || !isSingleValued(schema, source.id)) {
      const path = columnPath(schema, source.id);
      throw new IcecoreError('BAD_USER_INPUT', `The table cannot be sorted by ${field.transform} of ${path}.`);
    }
  }
}
