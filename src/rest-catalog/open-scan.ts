import type { ManifestEntry, ManifestFile } from '../iceberg/data-file.ts';
import type { BoundExpression } from '../iceberg/expression.ts';
import { appendsBetween, noSnapshot } from '../iceberg/incremental-scan.ts';
import type { ManifestProjection } from '../iceberg/manifest-reader.ts';
import { snapshotById } from '../iceberg/metadata.ts';
import type { ScanRequest } from '../iceberg/scan-plan.ts';
import { filterProjection } from '../iceberg/scan-pruning.ts';
import type { FileReads } from '../tables/file-reads.ts';
import { readManifestEntries, readManifestList } from '../tables/snapshot-files.ts';
import type { Table } from '../tables/table.ts';
import { bindScan, type PlannableScan } from './scan-request.ts';

/** A scan of a table, as its plan's id has it. */
export interface Planning {
  readonly files: FileReads;
  readonly table: Table;
  readonly scan: PlannableScan;
  readonly planId: string;
  readonly signal: AbortSignal;
}

/** The same with its manifests read. */
export interface OpenScan {
  readonly request: ScanRequest;
  readonly isWidened: boolean;
}

/** Throws BAD_USER_INPUT where its snapshot is gone. */
export async function openScan({ files, table, scan, signal }: Planning): Promise<OpenScan> {
  const { metadata } = table;
  const { schema, filter, isWidened } = bindScan(metadata, scan);
  return {
    isWidened,
    request: {
      table: metadata,
      schema,
      filter,
      ...(await manifestsOf(files, table, scan)),
      readEntries: (manifest, projection, wants) => readManifestEntries(files, metadata, manifest, projection, wants),
      projection: projectionOf(filter, scan.statsFieldIds),
      signal,
    },
  };
}

function projectionOf(filter: BoundExpression, statsFieldIds: readonly number[]): ManifestProjection {
  if (statsFieldIds.length === 0) return filterProjection(filter);
  return { metrics: 'all', fieldIds: new Set([...(filterProjection(filter).fieldIds ?? []), ...statsFieldIds]) };
}

async function manifestsOf(
  files: FileReads,
  { metadata }: Table,
  { of }: PlannableScan,
): Promise<Pick<ScanRequest, 'manifests' | 'entryFilter'>> {
  if (of === null) return { manifests: [] };
  if ('snapshotId' in of) {
    const snapshot = snapshotById(metadata, of.snapshotId);
    if (snapshot === undefined) throw noSnapshot(of.snapshotId);
    return { manifests: await readManifestList(files, metadata, snapshot) };
  }
  const appends = appendsBetween(metadata, of);
  const ids = new Set(appends.map(({ snapshotId }) => snapshotId));
  const manifests = new Map<string, ManifestFile>();
  for (const snapshot of appends) {
    for (const manifest of await readManifestList(files, metadata, snapshot)) {
      // What a later snapshot deleted is none of an incremental scan's business.
      if (manifest.content === 'data' && ids.has(manifest.addedSnapshotId)) manifests.set(manifest.manifestPath, manifest);
    }
  }
  const entryFilter = ({ status, snapshotId }: ManifestEntry) => status === 'added' && snapshotId !== null && ids.has(snapshotId);
  return { manifests: [...manifests.values()], entryFilter };
}
