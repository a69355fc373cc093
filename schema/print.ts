import { printSchema } from 'graphql';
import { schema } from './schema.ts';

/** `schema/schema.graphql` as it is checked in. */
export function printedSchema(): string {
  return `${printSchema(schema)}\n`;
}
