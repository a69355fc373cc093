import { canonicalJson, sha256Hex } from '../ledger/canonical-json.ts';
import type { ModelField } from '../models/model.ts';

/**
 * What digests a row's features: hex SHA-256 over the canonical JSON (RFC 8785) of an object of the model's inputs by name, in the
 * contract's JSON forms (docs/predictions.md). Takes the values in the order of the inputs.
 */
export function featuresDigest(inputs: readonly Pick<ModelField, 'name'>[]): (values: readonly unknown[]) => string {
  const members = inputs
    .map(({ name }, index) => ({ name, index }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, index }, place) => ({ index, text: `${place === 0 ? '{' : ','}${canonicalJson(name)}:` }));
  return (values) => sha256Hex(`${members.map(({ index, text }) => text + valueText(values[index])).join('')}}`);
}

/** RFC 8785 prints numbers and texts as ECMAScript does. */
function valueText(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  return typeof value === 'object' ? canonicalJson(value) : JSON.stringify(value);
}
