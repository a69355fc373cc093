import { IcecoreError } from '../errors.ts';
import { childFields, columnPath, fieldByName, type Schema } from './schema.ts';
import type { NestedField } from './type.ts';

/**
 * The column that a name in a predicate means: its path, such as `a` or `a.b`. Throws BAD_USER_INPUT where there is none,
 * naming those that are nearly so, and where case is ignored and two differ in nothing else.
 */
export function resolveColumn(schema: Schema, name: string, caseSensitive: boolean): NestedField {
  const exact = fieldByName(schema, name);
  if (exact !== undefined) return exact;
  const fields = schema.fields.flatMap(withDescendants);
  if (!caseSensitive) {
    const alike = fields.filter((field) => columnPath(schema, field.id)?.toLowerCase() === name.toLowerCase());
    const [only, another] = alike;
    if (another !== undefined) {
      const paths = alike.map((field) => columnPath(schema, field.id)).join(' and ');
      throw new IcecoreError(
        'BAD_USER_INPUT',
        `The column ${name} may be ${paths}. Write the one that is meant in its own case.`,
      );
    }
    if (only !== undefined) return only;
  }
  const paths = fields.map((field) => columnPath(schema, field.id) ?? field.name);
  const near = nearNames(name, paths);
  const columns = schema.fields.map((field) => field.name);
  const hint =
    near.length > 0
      ? `Did you mean ${near.join(' or ')}?`
      : `The columns are ${columns.slice(0, 20).join(', ')}${columns.length > 20 ? ', …' : ''}.`;
  throw new IcecoreError('BAD_USER_INPUT', `There is no column ${name}. ${hint}`, { context: { column: name, near } });
}

function withDescendants(field: NestedField): readonly NestedField[] {
  return [field, ...childFields(field.type).flatMap(withDescendants)];
}

const nearNamesMax = 3;

/** At most three names that a slip of the fingers or of case leads to, the nearest first. */
export function nearNames(name: string, names: readonly string[]): readonly string[] {
  const allowed = Math.max(1, Math.floor(name.length / 3));
  return names
    .map((candidate) => ({ candidate, distance: editDistance(name.toLowerCase(), candidate.toLowerCase(), allowed) }))
    .filter(({ distance }) => distance <= allowed)
    .toSorted((left, right) => left.distance - right.distance)
    .slice(0, nearNamesMax)
    .map(({ candidate }) => candidate);
}

/** Insertions, removals and replacements from one text to the other; anything above `limit` counts as one more than it. */
function editDistance(from: string, to: string, limit: number): number {
  if (Math.abs(from.length - to.length) > limit) return limit + 1;
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
