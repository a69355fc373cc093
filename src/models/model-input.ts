import { IcecoreError } from '../errors.ts';
import { parseTypeText } from '../iceberg/type-text.ts';
import type { ModelEndpoint, ModelField, ModelMetric, ModelSignature } from './model.ts';

const namePattern = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/;
const sha256Pattern = /^[0-9a-f]{64}$/;
const actorIdsMax = 100;
const fieldsMax = 10_000;
const metricsMax = 1_000;

/** Throws BAD_USER_INPUT where the text cannot name a model or an alias. `what` begins the message: `A model's name`. */
export function checkName(name: string, what: string): void {
  if (namePattern.test(name)) return;
  throw new IcecoreError(
    'BAD_USER_INPUT',
    `${what} is 1 to 128 letters, digits, "_", "." or "-", and begins with a letter or digit; "${name.slice(0, 80)}" is not.`,
  );
}

/** The digest in lower case. Throws BAD_USER_INPUT. */
export function checkedSha256(text: string): string {
  const digest = text.toLowerCase().replace(/^sha256:/, '');
  if (sha256Pattern.test(digest)) return digest;
  throw new IcecoreError(
    'BAD_USER_INPUT',
    `"${text.slice(0, 80)}" is no SHA-256 digest: give the artifact's, as 64 hexadecimal digits.`,
  );
}

/** Throws BAD_USER_INPUT for a signature without outputs, with a name twice, or with a type that is no Iceberg type. */
export function checkSignature(signature: ModelSignature): void {
  checkFields(signature.inputs, 'inputs');
  checkFields(signature.outputs, 'outputs');
}

function checkFields(fields: readonly ModelField[], what: string): void {
  if (fields.length === 0 || fields.length > fieldsMax) {
    throw new IcecoreError('BAD_USER_INPUT', `A signature has 1 to ${fieldsMax} ${what}, this one ${fields.length}.`);
  }
  const seen = new Set<string>();
  for (const { name, type } of fields) {
    if (name === '' || seen.has(name))
      throw new IcecoreError('BAD_USER_INPUT', `The signature's ${what} name "${name}" twice or not at all.`);
    seen.add(name);
    try {
      parseTypeText(type, () => 0);
    } catch (cause) {
      throw new IcecoreError(
        'BAD_USER_INPUT',
        `Field "${name}" of the signature's ${what} has type "${type}", which is no Iceberg type.`,
        {
          cause,
        },
      );
    }
  }
}

/** Throws BAD_USER_INPUT for an address that is none. Whether it may be called is asked when it is called. */
export function checkEndpoint(endpoint: ModelEndpoint): void {
  const url = URL.parse(endpoint.url);
  if (url !== null && (url.protocol === 'http:' || url.protocol === 'https:') && url.username === '' && url.password === '')
    return;
  throw new IcecoreError('BAD_USER_INPUT', `"${endpoint.url.slice(0, 200)}" is no http or https address without credentials.`);
}

export function checkAuthors(authors: readonly string[]): void {
  if (authors.length <= actorIdsMax) return;
  throw new IcecoreError('BAD_USER_INPUT', `A version has at most ${actorIdsMax} named authors, these are ${authors.length}.`);
}

/** Throws BAD_USER_INPUT for a metric whose value is no finite number: an approval is bound to its canonical JSON. */
export function checkMetrics(metrics: readonly ModelMetric[]): void {
  for (const { name, value } of metrics) {
    if (name !== '' && Number.isFinite(value)) continue;
    throw new IcecoreError('BAD_USER_INPUT', `Metric "${name}" has the value ${value}; a metric has a name and a finite number.`);
  }
  if (metrics.length > metricsMax) {
    throw new IcecoreError('BAD_USER_INPUT', `A version has at most ${metricsMax} metrics, these are ${metrics.length}.`);
  }
}
