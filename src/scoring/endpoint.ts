import type { ModelEndpoint, ModelSignature } from '../models/model.ts';

/** Rows for one call, by column: `columns[i]` holds the values of the signature's input i in the contract's JSON forms. */
export interface EndpointBatch {
  readonly rowCount: number;
  readonly columns: readonly (readonly unknown[])[];
}

/** What the endpoint answered: `columns[i]` holds the values of the signature's output i, null where it gave none. */
export interface EndpointAnswer {
  readonly columns: readonly (readonly unknown[])[];
  /** The model and version that the endpoint said it was; null where it did not say. */
  readonly model: string | null;
  readonly version: string | null;
}

/** A protocol: how a batch becomes a request, and a response an answer. Pure; `call-endpoint.ts` does the sending. */
export interface ScoringProtocol {
  /** Throws BAD_USER_INPUT where the protocol cannot carry a field of the signature. */
  check(signature: ModelSignature): void;
  request(endpoint: ModelEndpoint, signature: ModelSignature, batch: EndpointBatch): EndpointRequest;
  /** Throws FAILED_PRECONDITION where the answer has the wrong outputs, types or length. */
  answer(endpoint: ModelEndpoint, signature: ModelSignature, batch: EndpointBatch, body: unknown): EndpointAnswer;
}

export interface EndpointRequest {
  readonly url: string;
  readonly body: string;
}
