import type { NestedField } from './type.ts';

/** A table schema (spec: "Schemas"). Field ids are what counts; names may change. */
export interface Schema {
  readonly schemaId: number;
  readonly fields: readonly NestedField[];
  readonly identifierFieldIds: readonly number[];
}
