import { isPrimitive, type NestedField, type Type } from '../iceberg/type.ts';
import { duckDbTypeText } from '../sql/duckdb-type.ts';
import { quoteText } from '../sql/quote.ts';

/** SQL for what a column reads as in files that do not have it (spec: "Default values"); NULL where it has no default. */
export function initialDefaultSql({ type, initialDefault }: NestedField): string {
  return initialDefault === undefined || initialDefault === null ? 'NULL' : valueSql(type, initialDefault);
}

/** A value in the JSON single-value form (spec: Appendix D). A struct's is empty: its fields have defaults of their own. */
function valueSql(type: Type, value: unknown): string {
  if (!isPrimitive(type)) return nestedSql(type, value);
  if (type === 'binary' || type.startsWith('fixed')) return `from_hex(${quoteText(String(value))})`;
  return quoteText(String(value));
}

function nestedSql(type: Exclude<Type, string>, value: unknown): string {
  const json = value as { readonly keys?: readonly unknown[]; readonly values?: readonly unknown[] } & readonly unknown[];
  const cast = (sql: string): string => `CAST(${sql} AS ${duckDbTypeText(type)})`;
  switch (type.kind) {
    case 'list':
      return cast(`[${[...json].map((item) => (item === null ? 'NULL' : valueSql(type.element, item))).join(', ')}]`);
    case 'map': {
      const list = (of: Type, items: readonly unknown[]): string =>
        `[${items.map((item) => (item === null ? 'NULL' : valueSql(of, item))).join(', ')}]`;
      return cast(`map(${list(type.key, json.keys ?? [])}, ${list(type.value, json.values ?? [])})`);
    }
    case 'struct':
      return cast(`{${type.fields.map((field) => `${quoteText(field.name)}: ${initialDefaultSql(field)}`).join(', ')}}`);
  }
}
