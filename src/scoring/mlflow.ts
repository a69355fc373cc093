import { IcecoreError } from '../errors.ts';
import { printJson } from '../iceberg/json.ts';
import type { ModelEndpoint, ModelSignature } from '../models/model.ts';
import type { EndpointAnswer, EndpointBatch, EndpointRequest, ScoringProtocol } from './endpoint.ts';

/** MLflow's scoring server: `dataframe_split` to `/invocations`. It names neither model nor version. */
export const mlflow: ScoringProtocol = {
  /** JSON carries every type. */
  check(): void {},

  request(endpoint: ModelEndpoint, signature: ModelSignature, batch: EndpointBatch): EndpointRequest {
    const types = signature.inputs.map(({ type }) => type);
    const data = Array.from({ length: batch.rowCount }, (_, row) =>
      batch.columns.map((column, index) => cellOf(types[index] ?? '', column[row])),
    );
    const columns = signature.inputs.map(({ name }) => name);
    return { url: `${endpoint.url.replace(/\/+$/, '')}/invocations`, body: printJson({ dataframe_split: { columns, data } }) };
  },

  answer(endpoint: ModelEndpoint, signature: ModelSignature, batch: EndpointBatch, body: unknown): EndpointAnswer {
    const predictions = typeof body === 'object' && body !== null ? (body as Record<string, unknown>).predictions : undefined;
    if (!Array.isArray(predictions)) throw wrong(endpoint, 'has no list "predictions"');
    if (predictions.length !== batch.rowCount) {
      throw wrong(endpoint, `has ${predictions.length} predictions for ${batch.rowCount} rows`);
    }
    const columns = signature.outputs.map(({ name }) =>
      predictions.map((item: unknown) => {
        if (typeof item !== 'object' || item === null) {
          if (signature.outputs.length === 1) return item;
          throw wrong(endpoint, `gives one value a row, where the signature has ${signature.outputs.length} outputs`);
        }
        if (Array.isArray(item)) return item[signature.outputs.findIndex((output) => output.name === name)] as unknown;
        if (!(name in item)) throw wrong(endpoint, `has no output "${name}"`);
        return (item as Record<string, unknown>)[name];
      }),
    );
    return { columns, model: null, version: null };
  },
};

function cellOf(type: string, value: unknown): unknown {
  if (value === null || value === undefined) return null;
  if (type === 'long') return BigInt(String(value));
  if ((type === 'double' || type === 'float') && typeof value === 'string') return null;
  return value;
}

function wrong(endpoint: ModelEndpoint, fault: string): IcecoreError {
  return new IcecoreError('FAILED_PRECONDITION', `The answer of ${endpoint.url} ${fault}.`);
}
