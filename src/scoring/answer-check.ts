import { IcecoreError } from '../errors.ts';
import { parseTypeText } from '../iceberg/type-text.ts';
import type { ModelEndpoint, ModelSignature } from '../models/model.ts';
import { jsonCell } from '../sql/json-cell.ts';
import type { EndpointAnswer } from './endpoint.ts';

/** Throws FAILED_PRECONDITION where an answer is from another model or version than was asked, or its values are not of the signature. */
export function checkAnswer(endpoint: ModelEndpoint, signature: ModelSignature, answer: EndpointAnswer): void {
  checkIdentity(endpoint, answer);
  for (const [index, { name, type, required }] of signature.outputs.entries()) {
    const wanted = parseTypeText(type, () => 0);
    for (const [row, value] of (answer.columns[index] ?? []).entries()) {
      if ((value === null || value === undefined) && !required) continue;
      if (value === null || value === undefined)
        throw wrong(endpoint, `has no value of output "${name}" for row ${row} of a batch`);
      try {
        jsonCell(value, wanted, `output "${name}", row ${row} of a batch`);
      } catch (error) {
        if (!IcecoreError.is(error)) throw error;
        throw wrong(endpoint, `does not fit the signature: ${error.message}`);
      }
    }
  }
}

function checkIdentity(endpoint: ModelEndpoint, { model, version }: EndpointAnswer): void {
  if (model !== null && model !== endpoint.model) throw wrong(endpoint, `is from model "${model}", not "${endpoint.model}"`);
  if (version === null || endpoint.version === null || version === endpoint.version) return;
  throw wrong(endpoint, `is from version "${version}" of "${endpoint.model}", not from version "${endpoint.version}"`);
}

function wrong(endpoint: ModelEndpoint, fault: string): IcecoreError {
  return new IcecoreError('FAILED_PRECONDITION', `The answer of ${endpoint.url} ${fault}.`, { context: { url: endpoint.url } });
}
