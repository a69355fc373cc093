import { openAvroContainer } from './avro-container.ts';
import { AvroCursor } from './avro-cursor.ts';
import { type AvroRead, type AvroShape, type AvroShapeField, compileAvroReader } from './avro-reader.ts';
import type { AvroSchema } from './avro-schema.ts';
import { readingFile } from './broken-file.ts';
import type { ManifestEntry, ManifestFile } from './data-file.ts';
import { castPartition, entryReader, firstRowIdOf, type ManifestProjection, refuseTooMany } from './manifest-reader.ts';
import type { PartitionSpec } from './partition-spec.ts';
import { requireSpec, specValueTypes, type TablePartitioning } from './table-partitioning.ts';
import type { Literal } from './type.ts';

/** Says of a partition's values whether its files are of interest. */
export type PartitionTest = (partition: readonly (Literal | null)[]) => boolean;

/**
 * Where the entries of a manifest lie in its decompressed bytes, and in which partition each is: so that those of one
 * partition are decoded without the others. It holds of a manifest file for good.
 */
export interface ManifestIndex {
  readonly schema: AvroSchema;
  readonly schemaText: string;
  readonly blocks: readonly Uint8Array[];
  /** For each entry, in the manifest's order. */
  readonly block: Uint32Array;
  readonly offset: Uint32Array;
  readonly partition: Uint32Array;
  /** Different ones as they were written, by the numbers in `partition`. */
  readonly partitions: readonly (readonly (Literal | null)[])[];
  /** The first row id that each entry inherits if it has none itself; null where rows have no ids. */
  readonly nextRowIds: BigInt64Array | null;
  /** What the index takes of memory. */
  readonly bytes: number;
}

const deletedStatus = 2;

function peekShape(partition: AvroShape, hasRowIds: boolean): AvroShape {
  const rowIds: readonly AvroShapeField[] = [
    { id: 103, name: 'record_count', shape: 'long', required: true },
    { id: 142, name: 'first_row_id', shape: 'long' },
  ];
  const file = [{ id: 102, name: 'partition', shape: partition }, ...(hasRowIds ? rowIds : [])];
  return {
    kind: 'record',
    fields: [
      { id: 0, name: 'status', shape: 'int', required: true },
      { id: 2, name: 'data_file', shape: { kind: 'record', fields: file }, required: true },
    ],
  };
}

type Peeked<Partition> = readonly [
  status: number,
  file: readonly [partition: Partition, recordCount?: bigint, firstRowId?: bigint | null],
];

interface Peekers {
  readonly peek: AvroRead;
  readonly readPartition: AvroRead;
}

/** Manifests of one writer and spec differ in nothing here: compiled once. */
const compiled = new WeakMap<PartitionSpec, Map<string, Peekers>>();
const compiledPerSpecMax = 32;

function peekersOf(schemaText: string, schema: AvroSchema, spec: PartitionSpec, hasRowIds: boolean): Peekers {
  const key = `${hasRowIds} ${schemaText}`;
  const known = compiled.get(spec) ?? new Map<string, Peekers>();
  const fields = spec.fields.map(({ fieldId, name }): AvroShapeField => ({ id: fieldId, name, shape: 'literal' }));
  const peekers = known.get(key) ?? {
    peek: compileAvroReader(schema, peekShape('encoded', hasRowIds)),
    readPartition: compileAvroReader(schema, peekShape({ kind: 'record', fields }, false)),
  };
  if (known.size >= compiledPerSpecMax) known.clear();
  known.set(key, peekers);
  compiled.set(spec, known);
  return peekers;
}

/** Looks a manifest over once, skipping all but its partitions. Throws FAILED_PRECONDITION where the bytes are no such manifest. */
export function indexManifest(bytes: Uint8Array, manifestFile: ManifestFile, table: TablePartitioning): ManifestIndex {
  return readingFile(manifestFile.manifestPath, () => lookOver(bytes, manifestFile, table));
}

function lookOver(bytes: Uint8Array, manifestFile: ManifestFile, table: TablePartitioning): ManifestIndex {
  const spec = requireSpec(table, manifestFile.partitionSpecId);
  const { schema, schemaText, blocks } = openAvroContainer(bytes);
  let nextRowId = firstRowIdOf(manifestFile);
  const { peek, readPartition } = peekersOf(schemaText, schema, spec, nextRowId !== null);
  const places: { readonly block: number[]; readonly offset: number[]; readonly partition: number[] } = {
    block: [],
    offset: [],
    partition: [],
  };
  const nextRowIds: bigint[] = [];
  const numbers = new Map<string, number>();
  const partitions: (readonly (Literal | null)[])[] = [];
  const kept: Uint8Array[] = [];
  for (const { bytes: block, count } of blocks()) {
    refuseTooMany(places.offset.length + count);
    const cursor = new AvroCursor(block);
    for (let index = 0; index < count; index++) {
      const offset = cursor.position;
      const [status, [encoded, recordCount = 0n, firstRowId = null]] = peek(cursor) as Peeked<string | null>;
      const end = cursor.position;
      const key = encoded ?? '';
      let partition = numbers.get(key);
      if (partition === undefined) {
        partition = partitions.length;
        numbers.set(key, partition);
        cursor.seek(offset);
        const [, [values]] = readPartition(cursor) as Peeked<readonly (Literal | null)[] | null>;
        partitions.push(values ?? []);
        cursor.seek(end);
      }
      places.block.push(kept.length);
      places.offset.push(offset);
      places.partition.push(partition);
      if (nextRowId === null) continue;
      nextRowIds.push(nextRowId);
      if (firstRowId === null && status !== deletedStatus) nextRowId += recordCount;
    }
    kept.push(block);
  }
  return {
    schema,
    schemaText,
    blocks: kept,
    block: Uint32Array.from(places.block),
    offset: Uint32Array.from(places.offset),
    partition: Uint32Array.from(places.partition),
    partitions,
    nextRowIds: nextRowId === null ? null : BigInt64Array.from(nextRowIds),
    bytes: kept.reduce((sum, block) => sum + block.byteLength, 0) + places.offset.length * 20 + partitions.length * 200,
  };
}

/** The entries that lie in partitions of interest, in the manifest's order, with at least the metrics asked for. */
export function readIndexed(
  index: ManifestIndex,
  manifestFile: ManifestFile,
  table: TablePartitioning,
  projection: ManifestProjection,
  wants: PartitionTest,
): readonly ManifestEntry[] {
  return readingFile(manifestFile.manifestPath, () => entriesOf(index, manifestFile, table, projection, wants));
}

function entriesOf(
  index: ManifestIndex,
  manifestFile: ManifestFile,
  table: TablePartitioning,
  projection: ManifestProjection,
  wants: PartitionTest,
): readonly ManifestEntry[] {
  const types = specValueTypes(table, requireSpec(table, manifestFile.partitionSpecId));
  const isWanted = index.partitions.map((partition) => wants(castPartition(types, partition)));
  const read = entryReader(index, manifestFile, table, projection);
  const cursors: (AvroCursor | undefined)[] = [];
  const entries: ManifestEntry[] = [];
  for (let at = 0; at < index.partition.length; at++) {
    if (isWanted[index.partition[at] ?? 0] !== true) continue;
    const block = index.block[at] ?? 0;
    const cursor = cursors[block] ?? new AvroCursor(index.blocks[block] ?? new Uint8Array());
    cursors[block] = cursor;
    cursor.seek(index.offset[at] ?? 0);
    entries.push(read(cursor, index.nextRowIds?.[at] ?? null));
  }
  return entries;
}
