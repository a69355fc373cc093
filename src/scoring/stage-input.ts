import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import type { DuckDBConnection } from '@duckdb/node-api';
import { IcecoreError } from '../errors.ts';
import { parseTypeText, printTypeText } from '../iceberg/type-text.ts';
import { scoringRowGroupRows } from '../limits.ts';
import type { ModelVersion } from '../models/model.ts';
import { duckDbError } from '../sql/duckdb-error.ts';
import { duckDbTypeText } from '../sql/duckdb-type.ts';
import { quoteIdentifier, quoteText } from '../sql/quote.ts';
import { canCast } from '../tables/column-cast.ts';
import { relationColumns } from '../tables/column-source.ts';
import type { TableSnapshotRef } from '../tables/table.ts';
import type { ScoringSource } from './score-batch-input.ts';
import { openSource, type ScoringEngine, type SourceShape } from './scoring-source.ts';
import { localStagingPath, type ScoringStaging, type StagedInput } from './scoring-staging.ts';

/** The columns of a staged row: `row`, `as_of`, `k0`… for the entity keys and `i0`… for the model's inputs. */
export const rowColumn = 'row_number';
export const asOfColumn = 'as_of';
export const keyColumn = (index: number): string => `k${index}`;
export const inputColumn = (index: number): string => `i${index}`;

/**
 * Reads a run's rows at the snapshots of this moment and writes them as one staged file, numbered, cast to the types of the signature.
 * Throws BAD_USER_INPUT where a column does not fit its input, or a row has no moment.
 */
export async function stageInput(
  engine: ScoringEngine,
  staging: ScoringStaging,
  work: {
    readonly version: ModelVersion;
    readonly source: ScoringSource;
    readonly shape: SourceShape;
    readonly hold: (snapshots: readonly TableSnapshotRef[]) => Promise<void>;
    readonly signal: AbortSignal;
  },
): Promise<StagedInput> {
  const fileName = randomUUID();
  const path = await localStagingPath(engine.tables, fileName);
  try {
    return await engine.duckdb.trusted.use(async (connection) => {
      const open = await openSource(engine, connection, work.version, work.source, work.hold, work.signal);
      try {
        const select = await stagedSelect(connection, open.relation, open.position, work.shape, work.version);
        // In order of the number, so that a batch touches few row groups.
        const copy = `COPY (${select} ORDER BY ${rowColumn}) TO ${quoteText(path)} (FORMAT parquet, ROW_GROUP_SIZE ${scoringRowGroupRows})`;
        const rowCount = Number((await connection.runAndReadAll(copy)).getRows()[0]?.[0]);
        await refuseTimeless(connection, path);
        const { spineSources, featureSources } = open;
        return await staging.putInput(path, fileName, { rowCount, spineSources, featureSources });
      } catch (error) {
        throw duckDbError(error, 'Reading the rows to score');
      } finally {
        open.release();
      }
    }, work.signal);
  } finally {
    await rm(path, { force: true });
  }
}

/** A SELECT of staged rows from a relation of a source's rows; `relation` is what stands after FROM. */
export async function stagedSelect(
  connection: DuckDBConnection,
  relation: string,
  position: string,
  shape: Pick<SourceShape, 'entityKeys' | 'asOf'>,
  version: Pick<ModelVersion, 'signature'>,
): Promise<string> {
  const given = await relationColumns(connection, relation);
  const inputs = version.signature.inputs.map(({ name, type }, index) => {
    const wanted = parseTypeText(type, () => 0);
    const found = given.get(name);
    if (found === undefined || !canCast(found, wanted)) {
      throw new IcecoreError(
        'BAD_USER_INPUT',
        `The model takes its input "${name}" as ${printTypeText(wanted)}, and the rows have it as ${found ?? 'no column'}. Cast it in the source, if that is meant.`,
        { context: { input: name } },
      );
    }
    return `CAST(given.${quoteIdentifier(name)} AS ${duckDbTypeText(wanted)}) AS ${inputColumn(index)}`;
  });
  const keys = shape.entityKeys.map(({ column }, index) => `given.${quoteIdentifier(column)} AS ${keyColumn(index)}`);
  const moment = `${momentSql(`given.${quoteIdentifier(shape.asOf.column)}`)} AS ${asOfColumn}`;
  return `SELECT CAST(${position} AS BIGINT) AS ${rowColumn}, ${[moment, ...keys, ...inputs].join(', ')} FROM ${relation} AS given`;
}

/** A date counts as its midnight, a timestamp without a zone as UTC, which is the session's zone. */
export function momentSql(sql: string): string {
  return `CAST(CAST(${sql} AS TIMESTAMP) AS TIMESTAMP WITH TIME ZONE)`;
}

async function refuseTimeless(connection: DuckDBConnection, path: string): Promise<void> {
  const reader = await connection.runAndReadAll(
    `SELECT count(*) FROM read_parquet(${quoteText(path)}, hive_partitioning = false) WHERE ${asOfColumn} IS NULL`,
  );
  const count = reader.getRows()[0]?.[0];
  if (count === 0n) return;
  throw new IcecoreError(
    'BAD_USER_INPUT',
    `${count} of the rows to score have no moment: a prediction is for one. Leave them out.`,
  );
}
