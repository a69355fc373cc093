import { type DuckDBConnection, DuckDBDataChunk, type DuckDBValue } from '@duckdb/node-api';
import { IcecoreError } from '../errors.ts';
import { parseTypeText } from '../iceberg/type-text.ts';
import type { ModelSignature } from '../models/model.ts';
import { duckDbTypeText } from '../sql/duckdb-type.ts';
import { jsonCell } from '../sql/json-cell.ts';
import { quoteIdentifier } from '../sql/quote.ts';
import type { ScoringStaging, StagedBatch } from './scoring-staging.ts';
import { rowColumn } from './stage-input.ts';

/** The rows of one of DuckDB's vectors. */
const chunkRows = 2048;

export const outputColumn = (index: number): string => `o${index}`;
export const answersTable = '__icecore_answers';

/** What all answers of a run came to. */
export interface AnswersSummary {
  readonly rowsFailed: number;
  /** REPORTED where every answer named model and version (contract, `ModelIdentity`). */
  readonly identity: 'REPORTED' | 'ASSERTED';
}

/**
 * Loads the staged answers into the temporary table `answersTable`: row, scored_at, features_sha256, error and the outputs. Throws
 * FAILED_PRECONDITION where answers of one run came from several versions.
 */
export async function loadAnswers(
  connection: DuckDBConnection,
  staging: ScoringStaging,
  batchCount: number,
  signature: ModelSignature,
  signal: AbortSignal,
): Promise<AnswersSummary> {
  const types = signature.outputs.map(({ type }) => parseTypeText(type, () => 0));
  const outputs = types.map((type, index) => `${outputColumn(index)} ${duckDbTypeText(type)}`);
  await connection.run(
    `CREATE TEMP TABLE ${quoteIdentifier(answersTable)} (${[`${rowColumn} BIGINT`, 'scored_at BIGINT', 'features_sha256 VARCHAR', 'error VARCHAR', ...outputs].join(', ')})`,
  );
  const identities = new Set<string>();
  let rowsFailed = 0;
  const appender = await connection.createAppender(answersTable, 'main', 'temp');
  try {
    const columnTypes = Array.from({ length: 4 + types.length }, (_, index) => appender.columnType(index));
    for (let index = 0; index < batchCount; index++) {
      signal.throwIfAborted();
      const batch = await staging.batch(index);
      if (batch.identity !== null) identities.add(JSON.stringify([batch.identity.model, batch.identity.version]));
      rowsFailed += batch.errors.filter((error) => error !== null).length;
      for (let from = 0; from < batch.errors.length; from += chunkRows) {
        const columns = chunkColumns(batch, from, types);
        const chunk = DuckDBDataChunk.create(columnTypes, columns[0]?.length ?? 0);
        chunk.setColumns(columns);
        appender.appendDataChunk(chunk);
      }
    }
    appender.flushSync();
  } finally {
    appender.closeSync();
  }
  return { rowsFailed, identity: identityOf([...identities]) };
}

function chunkColumns(batch: StagedBatch, from: number, types: readonly ReturnType<typeof parseTypeText>[]): DuckDBValue[][] {
  const to = Math.min(from + chunkRows, batch.errors.length);
  const rows = Array.from({ length: to - from }, (_, offset) => from + offset);
  const scoredAt = BigInt(batch.scoredAtMicros);
  const where = `Staged batch ${batch.index}`;
  return [
    rows.map((row) => BigInt(batch.firstRow + row)),
    rows.map(() => scoredAt),
    rows.map((row) => batch.featuresSha256[row] ?? null),
    rows.map((row) => batch.errors[row] ?? null),
    ...types.map((type, output) => rows.map((row) => jsonCell(batch.outputs[output]?.[row], type, where))),
  ];
}

function identityOf(identities: readonly string[]): 'REPORTED' | 'ASSERTED' {
  const told = identities.map((text) => JSON.parse(text) as readonly (string | null)[]);
  const versions = new Set(told.map(([, version]) => version).filter((version) => version !== null));
  if (versions.size > 1) {
    throw new IcecoreError(
      'FAILED_PRECONDITION',
      `The endpoint answered as versions ${[...versions].join(' and ')} within one run: it was changed meanwhile. Name the version in the model's endpoint.`,
    );
  }
  return told.length > 0 && told.every(([model, version]) => model !== null && version !== null) ? 'REPORTED' : 'ASSERTED';
}
