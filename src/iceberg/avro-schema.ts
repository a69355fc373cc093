/** An Avro schema as JSON, with the attributes that Iceberg adds (spec: Appendix A, "Avro"). */
export type AvroSchema = string | AvroUnion | AvroRecord | AvroArray | AvroFixed | AvroAnnotated;

export type AvroUnion = readonly AvroSchema[];

export interface AvroField {
  readonly name: string;
  readonly type: AvroSchema;
  readonly default?: null;
  readonly 'field-id'?: number;
  /** The column's own name, where Avro does not allow it. */
  readonly 'iceberg-field-name'?: string;
}

export interface AvroRecord {
  readonly type: 'record';
  readonly name: string;
  readonly fields: readonly AvroField[];
}

export interface AvroArray {
  readonly type: 'array';
  readonly items: AvroSchema;
  readonly logicalType?: 'map';
  readonly 'element-id'?: number;
}

export interface AvroFixed {
  readonly type: 'fixed';
  readonly name: string;
  readonly size: number;
  readonly logicalType?: string;
  readonly precision?: number;
  readonly scale?: number;
}

/** A primitive with attributes: `{"type": "int", "logicalType": "date"}`. */
export interface AvroAnnotated {
  readonly type: string;
  readonly logicalType?: string;
  readonly 'adjust-to-utc'?: boolean;
}

/** `T` or null. */
export function avroOptional(schema: AvroSchema): AvroUnion {
  return ['null', schema];
}

/** A name that Avro allows, from any column's name, as Iceberg's Java library makes it. */
export function avroName(name: string): string {
  if (name === '') return '_';
  return Array.from(name, (char, index) => {
    if (/[A-Za-z_]/.test(char)) return char;
    if (/[0-9]/.test(char)) return index === 0 ? `_${char}` : char;
    return `_x${(char.codePointAt(0) ?? 0).toString(16).toUpperCase()}`;
  }).join('');
}
