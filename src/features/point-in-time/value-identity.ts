import type { Type } from '../../iceberg/type.ts';

/**
 * A SQL expression that is equal for two cells exactly where the row digest cannot tell them apart: NaNs are one, 0 and -0 are
 * two, a map's entries have no order. What a tie is must not be judged more coarsely than what the digest sees, or the answer
 * would depend on which row a scan met first.
 */
export function valueIdentitySql(expression: string, type: Type, depth = 0): string {
  if (type === 'float' || type === 'double') {
    return `CASE WHEN isnan(${expression}) THEN 'nan' ELSE ${expression}::VARCHAR END`;
  }
  if (typeof type === 'string') return expression;
  const variable = `v${depth}`;
  switch (type.kind) {
    case 'struct': {
      const fields = type.fields.map((field) =>
        valueIdentitySql(`struct_extract(${expression}, '${field.name.replaceAll("'", "''")}')`, field.type, depth),
      );
      return `CASE WHEN ${expression} IS NOT NULL THEN row(${fields.join(', ')}) END`;
    }
    case 'list':
      return `list_transform(${expression}, lambda ${variable}: ${valueIdentitySql(variable, type.element, depth + 1)})`;
    case 'map': {
      const entry = `row(${valueIdentitySql(`${variable}.key`, type.key, depth + 1)}, ${valueIdentitySql(`${variable}.value`, type.value, depth + 1)})`;
      return `list_sort(list_transform(map_entries(${expression}), lambda ${variable}: ${entry}))`;
    }
  }
}
