import { printIdentifier } from '../iceberg/identifier.ts';
import type { Snapshot } from '../iceberg/snapshot.ts';
import { replacesAllRows } from '../tables/actions/replace-files.ts';
import type { Table } from '../tables/table.ts';
import type { Tables } from '../tables/tables.ts';
import type { LineageEdge } from './lineage-edge-table.ts';
import type { LineageState } from './lineage-graph.ts';
import { impliedEdgeId } from './lineage-key.ts';
import type { LineageEdgeDraft, LineageRef } from './lineage-record.ts';
import type { OneWay } from './lineage-walk.ts';

/**
 * What tables' own metadata says, whoever wrote them: that a snapshot follows from its parent, and whether it still is there. A snapshot
 * holds what earlier ones wrote, so whatever wrote those is upstream of it; unless it replaced all rows.
 */
export class TableHistory {
  readonly #tables: Tables;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  /** The edges between these snapshots and their parents (UPSTREAM), or the snapshots that follow them. */
  async implied(refs: readonly LineageRef[], direction: OneWay, limit: number): Promise<readonly LineageEdge[]> {
    const tables = await this.#load(refs);
    const edges: LineageEdge[] = [];
    for (const ref of refs) {
      const table = tables.get(ref.uuid);
      if (ref.kind !== 'TABLE' || ref.version === null || table === undefined) continue;
      for (const snapshot of table.metadata.snapshots) {
        const parentSnapshotId = heldParent(snapshot);
        const near = direction === 'UPSTREAM' ? snapshot.snapshotId : parentSnapshotId;
        if (parentSnapshotId === null || near?.toString() !== ref.version) continue;
        edges.push(impliedEdge(table, snapshot, parentSnapshotId));
        if (edges.length === limit) return edges;
      }
    }
    return edges;
  }

  /** DELETED for tables that were dropped, with their features, and for snapshots that expired. */
  async states(refs: readonly LineageRef[]): Promise<readonly LineageState[]> {
    const tables = await this.#load(refs);
    const snapshots = new Map(
      [...tables].map(([uuid, table]) => [
        uuid,
        new Set(table.metadata.snapshots.map(({ snapshotId }) => snapshotId.toString())),
      ]),
    );
    return refs.map((ref) => {
      if (ref.kind === 'FEATURE') return tables.has(tableUuidOf(ref)) ? 'PRESENT' : 'DELETED';
      if (ref.kind !== 'TABLE') return 'PRESENT';
      const known = snapshots.get(ref.uuid);
      return known !== undefined && (ref.version === null || known.has(ref.version)) ? 'PRESENT' : 'DELETED';
    });
  }

  async #load(refs: readonly LineageRef[]): Promise<ReadonlyMap<string, Table>> {
    const tables = new Map<string, Table>();
    for (const uuid of new Set(
      refs.flatMap((ref) => (ref.kind === 'TABLE' || ref.kind === 'FEATURE' ? [tableUuidOf(ref)] : [])),
    )) {
      const table = await this.#tables.findByUuid(uuid);
      if (table !== null) tables.set(uuid, table);
    }
    return tables;
  }
}

/**
 * The edges between these snapshots and their parents, to be recorded in the commit that expires them: afterwards the table's metadata
 * does not say any more what they came from. A first snapshot, and one that replaced all rows, comes from the table as such, which has no
 * version.
 */
export function expiryEdges(table: Table, snapshotIds: readonly bigint[]): readonly LineageEdgeDraft[] {
  const expired = new Set(snapshotIds);
  return table.metadata.snapshots.flatMap((snapshot) => {
    if (!expired.has(snapshot.snapshotId)) return [];
    const { from, to } = impliedEdge(table, snapshot, heldParent(snapshot));
    return [{ from, to, runId: null, columns: [] }];
  });
}

function tableUuidOf({ kind, uuid }: LineageRef): string {
  return kind === 'FEATURE' ? (uuid.split('/')[0] ?? '') : uuid;
}

/** The parent that a snapshot holds rows of; null where it replaced them all. */
function heldParent({ parentSnapshotId, summary }: Snapshot): bigint | null {
  const replaced = Object.entries(replacesAllRows).every(([key, value]) => summary[key] === value);
  return replaced ? null : parentSnapshotId;
}

function impliedEdge(table: Table, snapshot: Snapshot, parentSnapshotId: bigint | null): LineageEdge {
  const name = printIdentifier(table.identifier);
  const at = (id: bigint | null): LineageRef => ({ kind: 'TABLE', uuid: table.uuid, version: id?.toString() ?? null, name });
  const [from, to] = [at(parentSnapshotId), at(snapshot.snapshotId)];
  return {
    id: impliedEdgeId(to),
    from,
    to,
    runId: null,
    recordedAtMicros: BigInt(snapshot.timestampMs) * 1000n,
    columns: [],
  };
}
