import type { ModelEndpoint, ModelField, ModelSignature } from '../models/model.ts';
import { checkAnswer } from './answer-check.ts';
import type { BatchRows } from './batch-rows.ts';
import { callEndpoint, type EndpointLimits } from './call-endpoint.ts';
import type { ScoringProtocol } from './endpoint.ts';
import type { StagedBatch } from './scoring-staging.ts';

export interface BatchScoring {
  readonly endpoint: ModelEndpoint;
  readonly protocol: ScoringProtocol;
  readonly signature: ModelSignature;
  readonly digest: (values: readonly unknown[]) => string;
  readonly limits: EndpointLimits;
  readonly nowMicros: () => bigint;
}

/**
 * Sends a batch and gives what is to be staged. Rows that lack a required input are not sent, and fail; all rows of a batch that the
 * endpoint refuses fail with its words. Throws FAILED_PRECONDITION where the answer is wrong, OVERLOADED where none comes.
 */
export async function scoreBatch(scoring: BatchScoring, batch: BatchRows, signal: AbortSignal): Promise<StagedBatch> {
  const { endpoint, protocol, signature } = scoring;
  const rows = Array.from({ length: batch.rowCount }, (_, row) => row);
  const errors = rows.map((row) => lackOf(signature.inputs, batch, row));
  const sent = rows.filter((row) => errors[row] === null);
  const staged = {
    index: batch.index,
    firstRow: batch.firstRow,
    featuresSha256: rows.map((row) => scoring.digest(batch.columns.map((column) => column[row]))),
  };
  const none = signature.outputs.map(() => rows.map(() => null));
  const answered = () => ({ ...staged, scoredAtMicros: scoring.nowMicros().toString() });
  if (sent.length === 0) return { ...answered(), identity: null, errors, outputs: none };
  const question = {
    rowCount: sent.length,
    columns: sent.length === rows.length ? batch.columns : batch.columns.map((column) => sent.map((row) => column[row])),
  };
  const outcome = await callEndpoint(protocol.request(endpoint, signature, question), signal, scoring.limits);
  if (outcome.kind === 'REFUSED') {
    return { ...answered(), identity: null, errors: errors.map((error) => error ?? outcome.message), outputs: none };
  }
  const answer = protocol.answer(endpoint, signature, question, outcome.body);
  checkAnswer(endpoint, signature, answer);
  const outputs = answer.columns.map((values) => {
    const column: unknown[] = rows.map(() => null);
    for (const [place, row] of sent.entries()) column[row] = values[place] ?? null;
    return column;
  });
  return { ...answered(), identity: { model: answer.model, version: answer.version }, errors, outputs };
}

function lackOf(inputs: readonly ModelField[], batch: BatchRows, row: number): string | null {
  const lacking = inputs.find(({ required }, index) => required && batch.columns[index]?.[row] === null);
  return lacking === undefined ? null : `The input "${lacking.name}" is required, and the row has no value for it.`;
}
