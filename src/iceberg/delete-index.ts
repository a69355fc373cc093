import { IcecoreError } from '../errors.ts';
import type { DataFile, ManifestEntry } from './data-file.ts';
import { partitionKey } from './partition-key.ts';

interface Delete {
  readonly file: DataFile;
  readonly sequenceNumber: bigint;
}

/** Field id of `file_path` in position delete files (spec: "Reserved Field IDs"). */
export const deletedFilePathId = 2147483546;

/** Finds the delete files that apply to a data file (spec: "Scan Planning"; facts 1.4). Holds every live delete file of a snapshot. */
export class DeleteIndex {
  readonly #vectors = new Map<string, Delete>();
  readonly #positionsByPath = new Map<string, Delete[]>();
  readonly #positionsByPartition = new Map<string, Delete[]>();
  readonly #equalitiesByPartition = new Map<string, Delete[]>();
  /** Those written under a spec without fields apply to all partitions of all specs. */
  readonly #globalEqualities: Delete[] = [];

  get isEmpty(): boolean {
    return (
      this.#vectors.size +
        this.#positionsByPath.size +
        this.#positionsByPartition.size +
        this.#equalitiesByPartition.size +
        this.#globalEqualities.length ===
      0
    );
  }

  add({ dataFile: file, sequenceNumber }: ManifestEntry): void {
    const entry: Delete = { file, sequenceNumber: sequenceNumber ?? 0n };
    if (file.content === 'equality-deletes') {
      if (file.partition.length === 0) this.#globalEqualities.push(entry);
      else append(this.#equalitiesByPartition, partitionKey(file), entry);
      return;
    }
    const path = deletedFileOf(file);
    if (path === null) append(this.#positionsByPartition, partitionKey(file), entry);
    else if (file.fileFormat === 'puffin') this.#addVector(path, entry);
    else append(this.#positionsByPath, path, entry);
  }

  /** Whether a vector for the data file of this one was added before. */
  hasVectorFor({ referencedDataFile }: DataFile): boolean {
    return this.#vectors.has(referencedDataFile ?? '');
  }

  /** A file has one at most (spec: "Deletion Vectors"); which of two would hold cannot be known. */
  #addVector(path: string, entry: Delete): void {
    const other = this.#vectors.get(path)?.file;
    this.#vectors.set(path, entry);
    if (other === undefined) return;
    throw new IcecoreError(
      'FAILED_PRECONDITION',
      `The data file ${path} has two deletion vectors, in ${other.filePath} and ${entry.file.filePath}: the table's metadata is broken.`,
    );
  }

  /** In no particular order. A deletion vector stands in for all position deletes of its file. */
  deletesOf(file: DataFile, dataSequenceNumber: bigint): readonly DataFile[] {
    if (this.isEmpty) return [];
    const key = partitionKey(file);
    const equalities = [...this.#globalEqualities, ...(this.#equalitiesByPartition.get(key) ?? [])];
    const vector = this.#vectors.get(file.filePath);
    const positions =
      vector === undefined
        ? [...(this.#positionsByPath.get(file.filePath) ?? []), ...(this.#positionsByPartition.get(key) ?? [])]
        : [vector];
    return [
      ...positions.filter((found) => dataSequenceNumber <= found.sequenceNumber),
      ...equalities.filter((found) => dataSequenceNumber < found.sequenceNumber),
    ].map((found) => found.file);
  }
}

/** The one data file whose rows a file of positions deletes, where it says so; null where it may be of several. */
export function deletedFileOf(file: DataFile): string | null {
  return file.referencedDataFile ?? onlyPath(file);
}

/** The path whose rows a position delete file is about, where its bounds say that it is only one. A bound cut short is never equal. */
function onlyPath(file: DataFile): string | null {
  const lower = file.lowerBounds.get(deletedFilePathId);
  const upper = file.upperBounds.get(deletedFilePathId);
  if (lower === undefined || upper === undefined || Buffer.compare(lower, upper) !== 0) return null;
  return Buffer.from(lower).toString('utf8');
}

function append(map: Map<string, Delete[]>, key: string, entry: Delete): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [entry]);
  else list.push(entry);
}
