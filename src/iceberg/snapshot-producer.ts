import { randomUUID } from 'node:crypto';
import { IcecoreError } from '../errors.ts';
import type { DataFile, ManifestEntry, ManifestFile } from './data-file.ts';
import { encodeManifestList } from './manifest-list.ts';
import { manifestsToMerge, mergePolicy } from './manifest-merge.ts';
import { everything, type ManifestProjection } from './manifest-reader.ts';
import { encodeManifest, type WrittenManifest } from './manifest-writer.ts';
import { refByName, type TableMetadata } from './metadata.ts';
import { mainBranch, type Snapshot, type SnapshotOperation } from './snapshot.ts';
import { snapshotSummary } from './snapshot-summary.ts';
import { currentSchema, requireSpec, specValueTypes } from './table-partitioning.ts';

export interface SnapshotRequest {
  readonly base: TableMetadata;
  readonly branch: string;
  readonly operation: SnapshotOperation;
  readonly snapshotId: bigint;
  readonly nowMs: number;
  /** Data and delete files to add. */
  readonly added: readonly DataFile[];
  /** Paths of live data and delete files to take out. */
  readonly removedPaths: ReadonlySet<string>;
  /** Data files whose deletion vector goes though they stay: the added files hold another for each. */
  readonly replacedVectors?: ReadonlySet<string>;
  /** Of the branch's snapshot; empty where it has none. */
  readonly manifests: readonly ManifestFile[];
  readonly readEntries: (manifest: ManifestFile, projection: ManifestProjection) => Promise<readonly ManifestEntry[]>;
  readonly summaryExtra?: Readonly<Record<string, string>>;
  /** From 1; part of the manifest list's name, so that no attempt overwrites another's. */
  readonly attempt?: number;
  /** Manifests of `added` that an earlier attempt at this commit has written: they inherit whatever sequence number comes. */
  readonly addedManifests?: readonly ManifestFile[];
}

export interface FileToWrite {
  readonly location: string;
  readonly bytes: Uint8Array;
}

export interface ProducedSnapshot {
  /** To be written before the manifest list; all are new. */
  readonly manifests: readonly FileToWrite[];
  readonly manifestList: FileToWrite;
  readonly snapshot: Snapshot;
  /** For the next attempt, should this one lose its race. */
  readonly addedManifests: readonly ManifestFile[];
}

/**
 * Builds the next snapshot of a branch, and the files it needs (spec: "Snapshots", "Manifests"). Nothing is written here. Added
 * files make one manifest for each spec; manifests that hold a removed file are rewritten, many small ones merged, all others
 * kept. With a data file its deletion vector goes. Throws CONFLICT, not to be retried, where a removed file is no longer live;
 * NOT_FOUND for a branch that is not there.
 */
export async function produceSnapshot(request: SnapshotRequest): Promise<ProducedSnapshot> {
  const { base, snapshotId } = request;
  const { formatVersion } = base;
  const parent = branchSnapshot(base, request.branch);
  const writing = new ManifestWriting(request);
  const addedManifests = request.addedManifests?.map((manifest) => writing.adopt(manifest)) ?? writing.writeAdded(request.added);
  const alive = request.manifests.filter(
    ({ addedFilesCount, existingFilesCount }) => addedFilesCount !== 0 || existingFilesCount !== 0,
  );
  const { kept, removed } = await takeOut(request, alive, writing);
  const merged = await merge(request, [...kept, ...addedManifests], writing);
  const { manifests, ...rowIds } = withRowIds(base, merged);
  const sequenceNumber = formatVersion === 1 ? 0n : base.lastSequenceNumber + 1n;
  const parentSnapshotId = parent?.snapshotId ?? null;
  const list = { formatVersion, snapshotId, parentSnapshotId, sequenceNumber, ...rowIds };
  const location = `${metadataFolder(base)}/snap-${snapshotId}-${request.attempt ?? 1}-${randomUUID()}.avro`;
  const summary = snapshotSummary({
    operation: request.operation,
    added: request.added,
    removed,
    manifests,
    parent: parent?.summary ?? null,
    extra: request.summaryExtra ?? {},
  });
  return {
    manifests: writing.files(manifests, addedManifests),
    manifestList: { location, bytes: encodeManifestList(list, manifests) },
    snapshot: {
      snapshotId,
      parentSnapshotId: parent?.snapshotId ?? null,
      sequenceNumber,
      // Time travel goes by these: they must not go back, whatever another machine's clock said before.
      timestampMs: Math.max(request.nowMs, base.lastUpdatedMs),
      manifestList: location,
      summary,
      schemaId: base.currentSchemaId,
      ...rowIds,
    },
    addedManifests,
  };
}

interface RowIds {
  readonly firstRowId?: bigint;
  readonly addedRows?: bigint;
}

/**
 * v3: data manifests that have no row ids yet take the next ones, as many as they have rows; those of a table that was upgraded as well as new ones
 * (spec: "First Row ID Assignment").
 */
function withRowIds(
  base: TableMetadata,
  manifests: readonly ManifestFile[],
): RowIds & { readonly manifests: readonly ManifestFile[] } {
  if (base.formatVersion < 3) return { manifests };
  const firstRowId = base.nextRowId ?? 0n;
  let next = firstRowId;
  const assigned = manifests.map((manifest) => {
    if (manifest.content !== 'data' || manifest.firstRowId !== undefined) return manifest;
    if (manifest.addedRowsCount < 0n || manifest.existingRowsCount < 0n) throw uncounted(manifest);
    const given = { ...manifest, firstRowId: next };
    next += manifest.addedRowsCount + manifest.existingRowsCount;
    return given;
  });
  return { manifests: assigned, firstRowId, addedRows: next - firstRowId };
}

function uncounted({ manifestPath }: ManifestFile): IcecoreError {
  return new IcecoreError(
    'FAILED_PRECONDITION',
    `The manifest ${manifestPath} is listed in the old way of format version 1, without its number of rows, so that they cannot be given ids. Rewrite the table's manifests before it goes to version 3.`,
    { context: { file: manifestPath } },
  );
}

/** The snapshot that a branch is at; null for a main branch without any. Throws NOT_FOUND for another that is not there, FAILED_PRECONDITION for a tag. */
export function branchSnapshot(base: TableMetadata, branch: string): Snapshot | null {
  const ref = refByName(base, branch);
  if (ref?.type === 'tag') {
    throw new IcecoreError('FAILED_PRECONDITION', `${branch} is a tag, and stays on its snapshot: write to a branch.`, {
      context: { branch },
    });
  }
  const id = ref?.snapshotId ?? (branch === mainBranch ? base.currentSnapshotId : null);
  if (id === null && branch !== mainBranch) {
    const branches = Object.keys(base.refs).filter((name) => base.refs[name]?.type === 'branch');
    throw new IcecoreError('NOT_FOUND', `The table has no branch ${branch}. It has ${branches.join(', ') || 'none'}.`, {
      context: { branch },
    });
  }
  return base.snapshots.find((snapshot) => snapshot.snapshotId === id) ?? null;
}

function metadataFolder({ location }: TableMetadata): string {
  return `${location.replace(/\/+$/, '')}/metadata`;
}

/** The manifests that one commit writes, and under which names. */
class ManifestWriting {
  readonly #request: SnapshotRequest;
  readonly #uuid = randomUUID();
  readonly #written = new Map<string, Uint8Array>();

  constructor(request: SnapshotRequest) {
    this.#request = request;
  }

  get sequenceNumber(): bigint {
    return this.#request.base.lastSequenceNumber + 1n;
  }

  /** A manifest of an earlier attempt, under the sequence number of this one. */
  adopt(manifest: ManifestFile): ManifestFile {
    if (this.#request.base.formatVersion === 1) return manifest;
    return { ...manifest, sequenceNumber: this.sequenceNumber, minSequenceNumber: this.sequenceNumber };
  }

  writeAdded(files: readonly DataFile[]): readonly ManifestFile[] {
    const groups = Map.groupBy(files, ({ specId, content }) => `${specId} ${content === 'data'}`);
    return [...groups.values()].map((group) =>
      this.write(
        group,
        group.map((dataFile): ManifestEntry => {
          return {
            status: 'added',
            snapshotId: this.#request.snapshotId,
            sequenceNumber: null,
            fileSequenceNumber: null,
            dataFile,
          };
        }),
      ),
    );
  }

  /** One manifest of these entries; `like` says of which spec and content. */
  write(like: readonly DataFile[], entries: readonly ManifestEntry[]): ManifestFile {
    const { base, snapshotId } = this.#request;
    const [first] = like;
    if (first === undefined) throw new IcecoreError('INTERNAL', 'A manifest of no files was to be written.');
    const spec = requireSpec(base, first.specId);
    const wrong = like.find((file) => file.partition.length !== spec.fields.length);
    if (wrong !== undefined) {
      throw new IcecoreError(
        'INTERNAL',
        `${wrong.filePath} has ${wrong.partition.length} partition values, its spec ${spec.fields.length}.`,
      );
    }
    const manifestPath = `${metadataFolder(base)}/${this.#uuid}-m${this.#written.size}.avro`;
    const written: WrittenManifest = encodeManifest({
      formatVersion: base.formatVersion,
      schema: currentSchema(base),
      spec,
      partitionTypes: specValueTypes(base, spec),
      content: first.content === 'data' ? 'data' : 'deletes',
      snapshotId,
      sequenceNumber: this.sequenceNumber,
      manifestPath,
      entries,
    });
    this.#written.set(manifestPath, written.bytes);
    return written.manifestFile;
  }

  bytesOf(manifest: ManifestFile): Uint8Array | undefined {
    return this.#written.get(manifest.manifestPath);
  }

  /** What of all that was encoded the snapshot, or its next attempt, refers to. */
  files(...manifests: readonly (readonly ManifestFile[])[]): readonly FileToWrite[] {
    const wanted = new Set(manifests.flat().map((manifest) => manifest.manifestPath));
    return [...this.#written].filter(([location]) => wanted.has(location)).map(([location, bytes]) => ({ location, bytes }));
  }
}

interface TakenOut {
  readonly kept: readonly ManifestFile[];
  readonly removed: readonly DataFile[];
}

async function takeOut(
  request: SnapshotRequest,
  manifests: readonly ManifestFile[],
  writing: ManifestWriting,
): Promise<TakenOut> {
  const paths = request.removedPaths;
  const vectors = new Set([...paths, ...(request.replacedVectors ?? [])]);
  const isGone = (entry: ManifestEntry): boolean => isRemoved(entry, paths, vectors);
  const missing = new Set(paths);
  const mayHold = ({ content }: ManifestFile): boolean => missing.size > 0 || (vectors.size > 0 && content === 'deletes');
  const kept: ManifestFile[] = [];
  const removed: DataFile[] = [];
  for (const manifest of manifests) {
    const isHit = mayHold(manifest) && (await request.readEntries(manifest, { metrics: 'none' })).some(isGone);
    if (!isHit) {
      kept.push(manifest);
      continue;
    }
    const entries = (await request.readEntries(manifest, everything)).filter(({ status }) => status !== 'deleted');
    const rewritten = entries.map((entry): ManifestEntry => {
      if (!isGone(entry)) return { ...entry, status: 'existing' };
      removed.push(entry.dataFile);
      return { ...entry, status: 'deleted', snapshotId: request.snapshotId };
    });
    for (const { dataFile, status } of rewritten) if (status === 'deleted') missing.delete(dataFile.filePath);
    kept.push(
      writing.write(
        entries.map(({ dataFile }) => dataFile),
        rewritten,
      ),
    );
  }
  if (missing.size > 0) throw noLongerLive([...missing]);
  return { kept, removed };
}

/** A deletion vector goes with its data file (spec: "Deletion Vectors"); the Puffin file may hold those of others, which stay. */
function isRemoved({ status, dataFile }: ManifestEntry, paths: ReadonlySet<string>, vectors: ReadonlySet<string>): boolean {
  if (status === 'deleted') return false;
  const isVector = dataFile.fileFormat === 'puffin';
  return paths.has(dataFile.filePath) || (isVector && vectors.has(dataFile.referencedDataFile ?? ''));
}

function noLongerLive(paths: readonly string[]): IcecoreError {
  const more = paths.length > 1 ? ` and ${paths.length - 1} more` : '';
  return new IcecoreError(
    'CONFLICT',
    `The file ${paths[0]}${more} to be replaced or removed is no longer in the table: another commit took it out. Read the table again and repeat the operation.`,
    { retryable: false, context: { paths: paths.slice(0, 10) } },
  );
}

/** Small manifests of one kind become one. What this snapshot deletes stays listed as deleted in the manifest that says so. */
async function merge(
  request: SnapshotRequest,
  manifests: readonly ManifestFile[],
  writing: ManifestWriting,
): Promise<readonly ManifestFile[]> {
  const isOld = (manifest: ManifestFile) =>
    writing.bytesOf(manifest) === undefined && manifest.addedSnapshotId !== request.snapshotId;
  const groups = manifestsToMerge(manifests.filter(isOld), mergePolicy(request.base.properties));
  const merged = new Map<string, ManifestFile | null>();
  for (const group of groups) {
    const entries: ManifestEntry[] = [];
    for (const manifest of group) {
      for (const entry of await request.readEntries(manifest, everything)) {
        if (entry.status !== 'deleted') entries.push({ ...entry, status: 'existing' });
      }
    }
    const files = entries.map(({ dataFile }) => dataFile);
    const written = files.length === 0 ? null : writing.write(files, entries);
    for (const [index, manifest] of group.entries()) merged.set(manifest.manifestPath, index === 0 ? written : null);
  }
  return manifests.flatMap((manifest) => {
    const instead = merged.get(manifest.manifestPath);
    return instead === undefined ? [manifest] : instead === null ? [] : [instead];
  });
}
