/** Types of the Iceberg format (spec: "Schemas and Data Types"). Primitive types are their specification text. */
export type PrimitiveType =
  | 'boolean'
  | 'int'
  | 'long'
  | 'float'
  | 'double'
  | 'date'
  | 'time'
  | 'timestamp'
  | 'timestamptz'
  | 'timestamp_ns'
  | 'timestamptz_ns'
  | 'string'
  | 'uuid'
  | 'binary'
  | 'unknown'
  | `decimal(${number}, ${number})`
  | `fixed[${number}]`;

export interface NestedField {
  readonly id: number;
  readonly name: string;
  readonly type: Type;
  readonly required: boolean;
  readonly doc?: string;
  /** v3, in the JSON single-value form. */
  readonly initialDefault?: unknown;
  readonly writeDefault?: unknown;
}

export interface StructType {
  readonly kind: 'struct';
  readonly fields: readonly NestedField[];
}

export interface ListType {
  readonly kind: 'list';
  readonly elementId: number;
  readonly element: Type;
  readonly elementRequired: boolean;
}

export interface MapType {
  readonly kind: 'map';
  readonly keyId: number;
  readonly key: Type;
  readonly valueId: number;
  readonly value: Type;
  readonly valueRequired: boolean;
}

export type Type = PrimitiveType | StructType | ListType | MapType;

/**
 * A cell of a primitive type in memory: int and date (days) are numbers; long, time and timestamps (micros or nanos) and
 * decimal (unscaled) are bigints; float and double are numbers; uuid is its text; fixed and binary are bytes.
 */
export type Literal = boolean | number | bigint | string | Uint8Array;

/** Precision and scale where the type is a decimal, else null. */
export function decimalParts(type: Type): { readonly precision: number; readonly scale: number } | null {
  if (typeof type !== 'string') return null;
  const match = /^decimal\((\d+), (\d+)\)$/.exec(type);
  return match === null ? null : { precision: Number(match[1]), scale: Number(match[2]) };
}

/** The length in bytes where the type is fixed, else null. */
export function fixedLength(type: Type): number | null {
  if (typeof type !== 'string') return null;
  const match = /^fixed\[(\d+)\]$/.exec(type);
  return match === null ? null : Number(match[1]);
}

/** What a list, a struct or a map is not. */
export function isPrimitive(type: Type): type is PrimitiveType {
  return typeof type === 'string';
}
