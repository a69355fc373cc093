import { printIdentifier } from '../iceberg/identifier.ts';
import type { LineageEdge } from '../lineage/lineage-edge-table.ts';
import type { LineageRef } from '../lineage/lineage-record.ts';
import type { Table } from '../tables/table.ts';
import type { Tables } from '../tables/tables.ts';

/**
 * Edges that the tables themselves tell, so that nobody has to record them: a snapshot holds what its parent held, and a prediction is a
 * row of its table. Those that end (UPSTREAM) or begin at one of the refs, at most `limit`.
 */
export async function impliedLineage(
  tables: Tables,
  refs: readonly LineageRef[],
  direction: 'UPSTREAM' | 'DOWNSTREAM',
  limit: number,
): Promise<readonly LineageEdge[]> {
  const edges: LineageEdge[] = [];
  const known = new Map<string, Table | null>();
  for (const ref of refs) {
    if (ref.kind !== 'TABLE' || ref.version === null) continue;
    if (!known.has(ref.uuid)) known.set(ref.uuid, await tables.findByUuid(ref.uuid));
    const table = known.get(ref.uuid);
    if (table === null || table === undefined) continue;
    const id = BigInt(ref.version);
    for (const snapshot of table.metadata.snapshots) {
      const { snapshotId, parentSnapshotId } = snapshot;
      const touches = direction === 'UPSTREAM' ? snapshotId === id : parentSnapshotId === id;
      if (parentSnapshotId === null || !touches) continue;
      edges.push({
        id: `${table.uuid}/${parentSnapshotId}/${snapshotId}`,
        from: tableVersion(table, parentSnapshotId),
        to: tableVersion(table, snapshotId),
        runId: null,
        recordedAtMicros: BigInt(snapshot.timestampMs) * 1000n,
        columns: [],
      });
      if (edges.length >= limit) return edges;
    }
  }
  return edges;
}

function tableVersion(table: Table, snapshotId: bigint): LineageRef {
  return { kind: 'TABLE', uuid: table.uuid, version: String(snapshotId), name: printIdentifier(table.identifier) };
}
