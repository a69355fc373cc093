import { type RecordBatch, RecordBatchReader } from 'apache-arrow';

/** A refusal of the API, with its code. */
export class ApiError extends Error {
  readonly code: string;

  constructor(message: string, code: string) {
    super(message);
    this.code = code;
  }
}

interface GraphQlAnswer {
  readonly data?: unknown;
  readonly errors?: readonly { readonly message: string; readonly extensions?: { readonly code?: string } }[];
}

/** Icecore's API as one caller sees it. */
export class Api {
  readonly url: string;
  readonly #key: string;

  constructor(url: string, key: string) {
    this.url = url;
    this.#key = key;
  }

  /** The answer's data. Throws ApiError with the first refusal. */
  async ask<Data>(query: string, variables: Readonly<Record<string, unknown>> = {}): Promise<Data> {
    const response = await fetch(`${this.url}/graphql`, {
      method: 'POST',
      headers: { ...this.#headers(), 'content-type': 'application/json', accept: 'application/graphql-response+json' },
      body: JSON.stringify({ query, variables }),
    });
    return dataOf<Data>((await response.json()) as GraphQlAnswer);
  }

  /** The training feed as raw Arrow, batch by batch; each asked for when the last one is used up. */
  async *batches(variables: Readonly<Record<string, unknown>>): AsyncGenerator<RecordBatch> {
    const query = `subscription ($input: TrainingFeedInput!) { trainingBatches(input: $input) { ipc rowCount last } }`;
    const response = await fetch(`${this.url}/graphql`, {
      method: 'POST',
      headers: { ...this.#headers(), 'content-type': 'application/json', accept: 'application/vnd.apache.arrow.stream' },
      body: JSON.stringify({ query, variables }),
    });
    if (!response.ok || response.body === null) throw new ApiError(await response.text(), String(response.status));
    const reader = await RecordBatchReader.from(response.body);
    let complete = false;
    for await (const batch of reader) {
      complete = batch.metadata.get('icecore.last') === 'true';
      yield batch;
    }
    if (!complete) throw new ApiError('The feed ended before its last batch.', 'INTERNAL');
  }

  #headers(): Record<string, string> {
    return { authorization: `Bearer ${this.#key}` };
  }
}

function dataOf<Data>(answer: GraphQlAnswer): Data {
  const [error] = answer.errors ?? [];
  if (error !== undefined) throw new ApiError(error.message, error.extensions?.code ?? 'INTERNAL');
  return answer.data as Data;
}
