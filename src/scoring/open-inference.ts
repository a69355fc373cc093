import { IcecoreError } from '../errors.ts';
import { printJson } from '../iceberg/json.ts';
import type { ModelEndpoint, ModelField, ModelSignature } from '../models/model.ts';
import type { EndpointAnswer, EndpointBatch, EndpointRequest, ScoringProtocol } from './endpoint.ts';

/** A tensor of the Open Inference Protocol v2, in REST form. */
interface Tensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly datatype: string;
  readonly data: readonly unknown[];
}

const datatypes: Readonly<Record<string, string>> = {
  boolean: 'BOOL',
  int: 'INT32',
  long: 'INT64',
  float: 'FP32',
  double: 'FP64',
  string: 'BYTES',
  date: 'BYTES',
  time: 'BYTES',
  timestamp: 'BYTES',
  timestamptz: 'BYTES',
  uuid: 'BYTES',
  binary: 'BYTES',
};

/** The protocol's datatype for an Iceberg type: numbers as themselves, all else as text. Throws BAD_USER_INPUT for nested types. */
function datatypeOf(field: ModelField): string {
  const datatype = datatypes[field.type] ?? (field.type.startsWith('decimal') ? 'BYTES' : undefined);
  if (datatype !== undefined) return datatype;
  throw new IcecoreError(
    'BAD_USER_INPUT',
    `Field "${field.name}" of the signature has type ${field.type}, which the Open Inference Protocol cannot carry; use a primitive type.`,
  );
}

/** Open Inference Protocol v2 (REST): one tensor of shape [n, 1] a column; missing floats are null. */
export const openInference: ScoringProtocol = {
  check({ inputs, outputs }: ModelSignature): void {
    for (const field of [...inputs, ...outputs]) datatypeOf(field);
  },

  request(endpoint: ModelEndpoint, signature: ModelSignature, batch: EndpointBatch): EndpointRequest {
    const inputs = signature.inputs.map((field, index): Tensor => {
      const datatype = datatypeOf(field);
      const values = batch.columns[index] ?? [];
      return {
        name: field.name,
        shape: [batch.rowCount, 1],
        datatype,
        data: values.map((value) => tensorValue(datatype, value)),
      };
    });
    const outputs = signature.outputs.map(({ name }) => ({ name }));
    return { url: inferUrl(endpoint), body: printJson({ inputs, outputs }) };
  },

  answer(endpoint: ModelEndpoint, signature: ModelSignature, batch: EndpointBatch, body: unknown): EndpointAnswer {
    const answer = asObject(body, endpoint);
    const tensors = Array.isArray(answer.outputs) ? answer.outputs.map((item: unknown) => asObject(item, endpoint)) : [];
    const columns = signature.outputs.map((field) => {
      const tensor = tensors.find((item) => item.name === field.name);
      if (tensor === undefined) throw wrong(endpoint, `has no output "${field.name}"`);
      const data: unknown = tensor.data;
      const values = Array.isArray(data) ? (data.flat(Number.POSITIVE_INFINITY) as unknown[]) : [];
      if (values.length !== batch.rowCount) {
        throw wrong(endpoint, `has ${values.length} values of "${field.name}" for ${batch.rowCount} rows`);
      }
      return values;
    });
    return { columns, model: textOf(answer.model_name), version: textOf(answer.model_version) };
  },
};

function inferUrl({ url, model, version }: ModelEndpoint): string {
  const versionPath = version === null ? '' : `/versions/${encodeURIComponent(version)}`;
  return `${url.replace(/\/+$/, '')}/v2/models/${encodeURIComponent(model)}${versionPath}/infer`;
}

/** 64-bit integers go as bare JSON integers, without loss; NaN has no JSON form, and null is what servers take for it. */
function tensorValue(datatype: string, value: unknown): unknown {
  if (value === null || value === undefined) return null;
  if (datatype === 'INT64') return BigInt(String(value));
  if (datatype === 'FP64' || datatype === 'FP32') return typeof value === 'number' ? value : null;
  return value;
}

function asObject(value: unknown, endpoint: ModelEndpoint): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw wrong(endpoint, 'is no object of the Open Inference Protocol');
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function wrong(endpoint: ModelEndpoint, fault: string): IcecoreError {
  return new IcecoreError('FAILED_PRECONDITION', `The answer of ${endpoint.url} for model "${endpoint.model}" ${fault}.`);
}
