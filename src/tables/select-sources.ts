import { IcecoreError } from '../errors.ts';
import { parseTimestamp } from '../iceberg/calendar.ts';
import { printIdentifier } from '../iceberg/identifier.ts';
import type { Snapshot } from '../iceberg/snapshot.ts';
import type { BoundSelect } from '../sql/query.ts';
import type { ParsedSelect, TableReference } from '../sql/select.ts';
import { resolveAsOf, schemaAsOf } from './resolve-as-of.ts';
import { type ScanRelation, scanRelation } from './scan-relation.ts';
import type { AsOf, Table, TableSnapshotRef } from './table.ts';
import type { Tables } from './tables.ts';

/** A table of a SELECT at the snapshot that it is read at. */
export interface SelectSource {
  readonly table: Table;
  /** Null where it has none yet, so no rows. */
  readonly snapshot: Snapshot | null;
  readonly asOf: AsOf | undefined;
}

/** A SELECT over the files of resolved snapshots; good until it is released. */
export interface OpenSelect {
  readonly bound: BoundSelect;
  release(): void;
}

/** The tables of a SELECT, one for each reference, all pointers of one moment. Throws NOT_FOUND. */
export async function resolveSources(tables: Tables, select: ParsedSelect): Promise<readonly SelectSource[]> {
  const loaded = await tables.loadMany(select.references.map((reference) => reference.identifier));
  const sources: SelectSource[] = [];
  for (const [index, reference] of select.references.entries()) {
    // `load` says which names may have been meant.
    const table = loaded[index] ?? (await tables.load(reference.identifier));
    const asOf = asOfReference(reference);
    sources.push({ table, snapshot: resolveAsOf(table, asOf), asOf });
  }
  return sources;
}

/** The snapshots that are read, each once. */
export function snapshotsOf(sources: readonly SelectSource[]): readonly TableSnapshotRef[] {
  const refs = sources.flatMap(({ table, snapshot }) =>
    snapshot === null
      ? []
      : [{ tableUuid: table.uuid, tableName: printIdentifier(table.identifier), snapshotId: snapshot.snapshotId }],
  );
  return [...new Map(refs.map((ref) => [`${ref.tableUuid}@${ref.snapshotId}`, ref])).values()];
}

/** Opens the files behind a SELECT. Throws what `scanRelation` throws. */
export async function openSelect(
  tables: Tables,
  select: ParsedSelect,
  sources: readonly SelectSource[],
  signal?: AbortSignal,
): Promise<OpenSelect> {
  const scans: ScanRelation[] = [];
  const release = () => {
    for (const scan of scans) scan.release();
  };
  try {
    for (const { table, snapshot, asOf } of sources) {
      const schema = schemaAsOf(table, asOf, snapshot);
      scans.push(await scanRelation(tables, { table, snapshot, schema, ...(signal === undefined ? {} : { signal }) }));
    }
  } catch (error) {
    release();
    throw error;
  }
  return { bound: { select, relations: scans.map((scan) => scan.select) }, release };
}

function asOfReference({ at, place }: TableReference): AsOf | undefined {
  if (at === null) return undefined;
  switch (at.kind) {
    case 'snapshot':
      return { snapshotId: at.snapshotId };
    case 'ref':
      return { ref: at.name };
    case 'timestamp':
      return { timestampMicros: instantOf(at.text, place) };
  }
}

/** SQL writes a space where RFC 3339 has a T, may leave the time of day out, and means UTC where it names no zone. */
function instantOf(text: string, place: string): bigint {
  const written = text.trim().replace(' ', 'T');
  const whole = /^\d{4}-\d{2}-\d{2}$/.test(written) ? `${written}T00:00:00` : written;
  const zoned = /(?:Z|[+-]\d{2}(?::?\d{2})?)$/i.test(whole.slice(10));
  try {
    return parseTimestamp(whole, 'micros', zoned);
  } catch (cause) {
    throw new IcecoreError('BAD_USER_INPUT', `'${text}' at ${place} is no timestamp: write '2001-01-01 00:00:00'.`, { cause });
  }
}
