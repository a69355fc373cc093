import { IcecoreError } from '../errors.ts';
import { resolveColumn } from '../iceberg/column-name.ts';
import type { BoundExpression, Expression } from '../iceberg/expression.ts';
import { bindExpression } from '../iceberg/expression-bind.ts';
import { parseExpressionJson } from '../iceberg/expression-json.ts';
import { inColumnUnits } from '../iceberg/expression-units.ts';
import { type IncrementalRange, noSnapshot } from '../iceberg/incremental-scan.ts';
import {
  currentSchema,
  currentSnapshot,
  schemaById,
  snapshotById,
  snapshotSchema,
  type TableMetadata,
} from '../iceberg/metadata.ts';
import { columnPath, type Schema } from '../iceberg/schema.ts';

/** What a client asks to have planned (REST specification: `PlanTableScanRequest`). */
export interface ScanPlanRequest {
  /** The current one where neither this nor `incremental` is there. */
  readonly snapshotId?: bigint;
  readonly incremental?: IncrementalRange;
  /** The JSON of a predicate; what it refers to by id is looked up in the table. */
  readonly filterJson: unknown;
  readonly isCaseSensitive: boolean;
  readonly usesSnapshotSchema: boolean;
  /** Columns whose metrics are wanted. */
  readonly statsFields?: readonly string[];
  /** A hint: with so many rows the client has enough. */
  readonly minRows?: bigint;
}

/** The same as it stands for good: nothing in it changes with the table, so it can be planned again in parts. */
export interface PlannableScan {
  /** Null for a table without snapshots. */
  readonly of: { readonly snapshotId: bigint } | IncrementalRange | null;
  readonly schemaId: number;
  readonly filter: Expression;
  readonly isCaseSensitive: boolean;
  readonly statsFieldIds: readonly number[];
  readonly minRows: bigint | null;
}

/** Fixes what is asked to a snapshot and a schema of the table. Throws BAD_USER_INPUT for what the table has not. */
export function plannableScan(metadata: TableMetadata, request: ScanPlanRequest): PlannableScan {
  const { incremental, snapshotId, isCaseSensitive, statsFields = [] } = request;
  const endId = incremental?.endInclusive ?? snapshotId;
  const snapshot = endId === undefined ? currentSnapshot(metadata) : snapshotById(metadata, endId);
  if (endId !== undefined && snapshot === undefined) throw noSnapshot(endId);
  const isAsWritten = request.usesSnapshotSchema && snapshot !== undefined;
  const schema = isAsWritten ? snapshotSchema(metadata, snapshot) : currentSchema(metadata);
  const scan: PlannableScan = {
    of: incremental ?? (snapshot === undefined ? null : { snapshotId: snapshot.snapshotId }),
    schemaId: schema.schemaId,
    filter: parseExpressionJson(request.filterJson, columnNames(metadata)),
    isCaseSensitive,
    statsFieldIds: statsFields.map((name) => resolveColumn(schema, name, isCaseSensitive).id),
    // Who asks for metrics may read the files in their order, for the greatest rows say, and then the first ones are not enough.
    minRows: statsFields.length === 0 ? (request.minRows ?? null) : null,
  };
  bindScan(metadata, scan);
  return scan;
}

export interface BoundScan {
  readonly schema: Schema;
  /** Holds of all rows that the filter holds of, and where `isWidened`, of more. */
  readonly filter: BoundExpression;
  readonly isWidened: boolean;
}

/** The filter of a scan, bound. Throws BAD_USER_INPUT where it does not fit the schema. */
export function bindScan(metadata: TableMetadata, { schemaId, filter, isCaseSensitive }: PlannableScan): BoundScan {
  const schema = schemaById(metadata, schemaId);
  if (schema === undefined) throw new IcecoreError('BAD_USER_INPUT', `The table has no schema ${schemaId}.`);
  let isWidened = false;
  const widened = () => {
    isWidened = true;
  };
  const inUnits = inColumnUnits(schema, filter, isCaseSensitive);
  const bound = bindExpression(schema, inUnits, { caseSensitive: isCaseSensitive, widened });
  return { schema, filter: bound, isWidened };
}

/** Gives names to references by field id in a filter; any schema of the table may have the column. */
function columnNames(metadata: TableMetadata): (fieldId: number) => string | undefined {
  const schemas = [currentSchema(metadata), ...metadata.schemas.toReversed()];
  return (fieldId) => {
    for (const schema of schemas) {
      const path = columnPath(schema, fieldId);
      if (path !== undefined) return path;
    }
    return undefined;
  };
}
