import { IcecoreError } from '../errors.ts';
import { pageRowsDefault, pageRowsMax } from '../limits.ts';
import type { LineageEdge } from '../lineage/lineage-edge-table.ts';
import type { LineageState } from '../lineage/lineage-graph.ts';
import { impliedEdgeId } from '../lineage/lineage-key.ts';
import type { LineageRef } from '../lineage/lineage-record.ts';
import type { OneWay } from '../lineage/lineage-walk.ts';
import type { Runs } from '../runs/runs.ts';
import { resolveAsOf } from '../tables/resolve-as-of.ts';
import type { Table } from '../tables/table.ts';
import type { Tables } from '../tables/tables.ts';
import type { Prediction } from './prediction.ts';
import { type PredictionCursor, parsePredictionCursor, printPredictionCursor } from './prediction-cursor.ts';
import type { PredictionFilter } from './prediction-filter.ts';
import { predictionsLayout } from './predictions-table.ts';
import { newestFirst, type PredictionRow, readPredictions, requireLayout } from './read-predictions.ts';
import { scoringRunState } from './scoring-run-state.ts';

export interface PredictionQuery extends PredictionFilter {
  /** One, or several that are read as if they were one. */
  readonly tables: readonly Table[];
  readonly first?: number | null | undefined;
  /** A cursor of an edge before. */
  readonly after?: string | null | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Newest first: by as_of downwards, then by id. All pages of one walk are read at the same snapshots. */
export interface PredictionPage {
  readonly edges: readonly { readonly cursor: string; readonly prediction: Prediction }[];
  readonly hasNextPage: boolean;
}

/** Predictions as they lie in their tables. */
export class Predictions {
  readonly #tables: Tables;
  readonly #runs: Runs;

  constructor(tables: Tables, runs: Runs) {
    this.#tables = tables;
    this.#runs = runs;
  }

  /** Throws BAD_USER_INPUT for a table of others, an entity or a cursor that is none; NOT_FOUND where a cursor's snapshot expired. */
  async page(query: PredictionQuery): Promise<PredictionPage> {
    const first = query.first ?? pageRowsDefault;
    if (!Number.isInteger(first) || first < 0 || first > pageRowsMax) {
      throw new IcecoreError('BAD_USER_INPUT', `A page holds 0 to ${pageRowsMax} predictions, and ${first} were asked for.`);
    }
    for (const table of query.tables) requireLayout(table);
    const after = query.after == null ? null : parsePredictionCursor(query.after);
    const snapshots = after?.snapshots ?? currentSnapshots(query.tables);
    const found: PredictionRow[] = [];
    for (const table of query.tables) {
      const snapshotId = snapshots[table.uuid];
      // A table that had none when the walk began has none in it.
      if (snapshotId === undefined) continue;
      const { signal } = query;
      const rowsMax = first + 1;
      found.push(
        ...(await readPredictions(this.#tables, { table, asOf: { snapshotId }, filter: query, rowsMax, after, signal })),
      );
    }
    const rows = found.toSorted(newestFirst).slice(0, first);
    const predictions = await this.#withRuns(rows);
    return {
      edges: predictions.map((prediction) => ({ cursor: printPredictionCursor(placeOf(prediction, snapshots)), prediction })),
      hasNextPage: found.length > first,
    };
  }

  /** Null where the table or the row is gone, or the table is none of predictions. */
  async find(tableUuid: string, predictionId: string): Promise<Prediction | null> {
    const table = await this.#tables.findByUuid(tableUuid);
    if (table === null || predictionsLayout(table.metadata) === null) return null;
    const rows = await readPredictions(this.#tables, { table, filter: { predictionId }, rowsMax: 1 });
    return (await this.#withRuns(rows))[0] ?? null;
  }

  /**
   * The edges from the runs that made predictions to them: nobody records one for each row. Not from the snapshots that they were written
   * with, since those hold what earlier runs wrote too.
   */
  async implied(refs: readonly LineageRef[], direction: OneWay): Promise<readonly LineageEdge[]> {
    if (direction !== 'UPSTREAM') return [];
    const edges: LineageEdge[] = [];
    for (const ref of refs) {
      const prediction = await this.#of(ref);
      if (prediction === null) continue;
      const { runId, predictionId, scoredAtMicros, tableName } = prediction;
      edges.push({
        id: impliedEdgeId(ref),
        from: { kind: 'RUN', uuid: runId, version: null, name: runId },
        to: { ...ref, name: `${tableName}/${predictionId}` },
        runId,
        recordedAtMicros: scoredAtMicros,
        columns: [],
      });
    }
    return edges;
  }

  /** What has become of predictions, in the order of the refs; PRESENT for what is none. */
  async states(refs: readonly LineageRef[]): Promise<readonly LineageState[]> {
    const states: LineageState[] = [];
    for (const ref of refs) {
      const prediction = await this.#of(ref);
      if (ref.kind !== 'PREDICTION' || prediction?.redacted === false) states.push('PRESENT');
      else states.push(prediction === null ? 'DELETED' : 'REDACTED');
    }
    return states;
  }

  async #of(ref: LineageRef): Promise<Prediction | null> {
    if (ref.kind !== 'PREDICTION') return null;
    const [tableUuid = '', predictionId = ''] = ref.uuid.split('/');
    return await this.find(tableUuid, predictionId);
  }

  async #withRuns(rows: readonly PredictionRow[]): Promise<readonly Prediction[]> {
    const ids = [...new Set(rows.map(({ runId }) => runId))];
    // What a prediction is worth is said to whoever may read it, its run need not show to them.
    const runs = await this.#tables.access.asServer(() => this.#runs.getMany(ids));
    const assurances = new Map(runs.flatMap((run) => (run === null ? [] : [[run.id, scoringRunState(run).assurance]])));
    // A run that is not recorded vouches for nobody.
    return rows.map((row) => ({ ...row, assurance: assurances.get(row.runId) ?? 'LOCAL' }));
  }
}

function currentSnapshots(tables: readonly Table[]): Readonly<Record<string, bigint>> {
  return Object.fromEntries(
    tables.flatMap((table) => {
      const snapshot = resolveAsOf(table);
      return snapshot === null ? [] : [[table.uuid, snapshot.snapshotId]];
    }),
  );
}

function placeOf({ asOfMicros, predictionId }: PredictionRow, snapshots: PredictionCursor['snapshots']): PredictionCursor {
  return { snapshots, asOfMicros, predictionId };
}
