import { type ArrowMessage, fromArrow, messageHead, metadataOf } from './arrow-message.ts';
import type { FlatTable } from './flat-table.ts';

/** A column of an Arrow schema, or a part of one (format: `Schema.fbs`). */
export interface ArrowField {
  readonly name: string;
  readonly isNullable: boolean;
  /** Place in the union `Type`. */
  readonly type: number;
  /** What the type says of itself, whose fields differ by type. */
  readonly details: FlatTable | null;
  readonly isDictionary: boolean;
  readonly children: readonly ArrowField[];
  readonly metadata: ReadonlyMap<string, string>;
}

/** The columns of a schema. Throws Unreachable for what is none. */
export function arrowFields(schema: FlatTable): readonly ArrowField[] {
  return fromArrow(() => schema.tables(1).map(arrowField));
}

function arrowField(field: FlatTable): ArrowField {
  return {
    name: field.text(0) ?? '',
    isNullable: field.byte(1) !== 0,
    type: field.byte(2),
    details: field.table(3),
    isDictionary: field.table(4) !== null,
    children: field.tables(5).map(arrowField),
    metadata: metadataOf(field, 6),
  };
}

/** Whether batches of the one may stand in a file of the other. The schemas' own metadata may differ. */
export function isSameSchema(one: ArrowMessage, other: ArrowMessage): boolean {
  const [a, b] = [one, other].map(({ head }) => JSON.stringify(arrowFields(messageHead(head).table).map(described)));
  return a === b;
}

/** No type says more of itself than four fields of at most eight bytes, or a text. */
function described({ name, isNullable, type, details, isDictionary, children, metadata }: ArrowField): unknown {
  return [name, isNullable, type, detailsText(type, details), isDictionary, children.map(described), [...metadata]];
}

function detailsText(type: number, details: FlatTable | null): unknown {
  if (details === null) return null;
  switch (type) {
    case arrowType.int:
      return [details.int(0), details.byte(1)];
    case arrowType.floatingPoint:
      return details.short(0);
    case arrowType.date:
      return details.short(0, milliseconds);
    case arrowType.time:
      return [details.short(0, milliseconds), details.int(1, 32)];
    case arrowType.timestamp:
      return [details.short(0), details.text(1)];
    case arrowType.decimal:
      return [details.int(0), details.int(1), details.int(2, 128)];
    case arrowType.fixedSizeBinary:
      return details.int(0);
    default:
      return null;
  }
}

/** What a unit is where none is written. */
const milliseconds = 1;

/** Of the union `Type`. */
export const arrowType = {
  null: 1,
  int: 2,
  floatingPoint: 3,
  binary: 4,
  utf8: 5,
  bool: 6,
  decimal: 7,
  date: 8,
  time: 9,
  timestamp: 10,
  list: 12,
  struct: 13,
  fixedSizeBinary: 15,
  map: 17,
} as const;
