import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IcecoreError } from '../../src/errors.ts';
import type { DataFile } from '../../src/iceberg/data-file.ts';
import { applyUpdates } from '../../src/iceberg/metadata-update.ts';
import { newTableMetadata } from '../../src/iceberg/new-metadata.ts';
import { buildPartitionSpec } from '../../src/iceberg/partition-spec.ts';
import { reachableFiles } from '../../src/iceberg/reachable-files.ts';
import { planScan } from '../../src/iceberg/scan-plan.ts';
import { newSnapshotId } from '../../src/iceberg/snapshot-id.ts';
import { produceSnapshot } from '../../src/iceberg/snapshot-producer.ts';
import { MemoryTable } from './memory-table.ts';
import { fileOf, sampleSchema } from './predicate-sample.ts';

function newTable(properties: Readonly<Record<string, string>> = {}, formatVersion: 1 | 2 | 3 = 2): MemoryTable {
  return new MemoryTable(
    newTableMetadata({
      uuid: '9c12d441-03fe-4693-9a96-a0705ddf69c1',
      location: 'file:///warehouse/t',
      schema: sampleSchema,
      partitionSpec: buildPartitionSpec(sampleSchema, [{ column: 'i', transform: 'identity' }]),
      properties,
      formatVersion,
      nowMs: 1000,
    }),
  );
}

/** One row with `i` as given; a path of its own. */
function file(name: string, i: number): DataFile {
  return { ...fileOf([[i, null, null, name.slice(0, 2), null, null, null]], [i]), filePath: `file:///warehouse/t/data/${name}` };
}

async function livePaths(table: MemoryTable): Promise<readonly string[]> {
  const plan = planScan({
    table: table.metadata,
    schema: sampleSchema,
    manifests: await table.manifests(),
    filter: { op: 'true' },
    readEntries: table.readEntries,
  });
  return (await Array.fromAsync(plan.tasks(), (task) => task.file.filePath)).toSorted();
}

type Step = { readonly add: number; readonly removeEvery: number };
const history: fc.Arbitrary<readonly Step[]> = fc.array(fc.record({ add: fc.nat(3), removeEvery: fc.nat(4) }), { maxLength: 12 });

describe('a history of snapshots', () => {
  it('ends where a model of it ends, however manifests were merged', async () => {
    await fc.assert(
      fc.asyncProperty(history, fc.constantFrom('2', '3', '100'), fc.constantFrom(1, 2, 3), async (steps, minCount, version) => {
        const table = newTable({ 'commit.manifest.min-count-to-merge': minCount }, version as 1 | 2 | 3);
        let live: readonly string[] = [];
        const addedIn = new Map<string, bigint>();
        for (const [step, { add, removeEvery }] of steps.entries()) {
          const added = Array.from({ length: add }, (_, index) => file(`${step}-${index}`, index));
          const removedPaths = new Set(removeEvery === 0 ? [] : live.filter((_, index) => index % removeEvery === 0));
          const { snapshot } = await table.commit({ operation: 'overwrite', added, removedPaths });
          for (const { filePath } of added) addedIn.set(filePath, snapshot.sequenceNumber);
          live = [...live.filter((path) => !removedPaths.has(path)), ...added.map(({ filePath }) => filePath)].toSorted();
          expect(await livePaths(table)).toEqual(live);
          expect(snapshot.summary).toMatchObject({
            'total-data-files': String(live.length),
            'total-records': String(live.length),
            'total-files-size': String(live.length * 100),
          });
        }
        // Sequence numbers stay those of the commit that added the file, whatever manifest it moved to.
        for (const manifest of await table.manifests()) {
          for (const entry of await table.readEntries(manifest, { metrics: 'none' })) {
            if (entry.status !== 'deleted') expect(entry.sequenceNumber).toBe(addedIn.get(entry.dataFile.filePath));
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('a new snapshot', () => {
  it('sums up what it changed', async () => {
    const table = newTable();
    await table.commit({ operation: 'append', added: [file('a', 1), file('b', 2)] });
    const { snapshot } = await table.commit({
      operation: 'overwrite',
      added: [file('c', 1)],
      removedPaths: new Set(['file:///warehouse/t/data/a']),
    });
    expect(snapshot.summary).toEqual({
      operation: 'overwrite',
      'engine-name': 'icecore',
      'added-data-files': '1',
      'deleted-data-files': '1',
      'added-records': '1',
      'deleted-records': '1',
      'added-files-size': '100',
      'removed-files-size': '100',
      'changed-partition-count': '1',
      'total-data-files': '2',
      'total-delete-files': '0',
      'total-records': '2',
      'total-files-size': '200',
      'total-position-deletes': '0',
      'total-equality-deletes': '0',
    });
    expect(snapshot).toMatchObject({ parentSnapshotId: 100n, sequenceNumber: 2n });
  });

  it('lists what it deletes as deleted, and the next forgets a manifest with nothing alive', async () => {
    const table = newTable();
    await table.commit({ operation: 'append', added: [file('a', 1)] });
    await table.commit({ operation: 'delete', removedPaths: new Set(['file:///warehouse/t/data/a']) });
    expect(await table.manifests()).toMatchObject([{ addedFilesCount: 0, existingFilesCount: 0, deletedFilesCount: 1 }]);
    await table.commit({ operation: 'append', added: [file('b', 1)] });
    expect(await table.manifests()).toMatchObject([{ addedFilesCount: 1, deletedFilesCount: 0 }]);
  });

  it('is refused where a file to be removed is gone, and that is not to be retried', async () => {
    const table = newTable();
    await table.commit({ operation: 'append', added: [file('a', 1)] });
    const remove = { operation: 'delete', removedPaths: new Set(['file:///warehouse/t/data/a']) } as const;
    await table.commit(remove);
    await expect(table.commit(remove)).rejects.toMatchObject({ code: 'CONFLICT', retryable: false });
    await expect(table.commit(remove)).rejects.toThrow('file:///warehouse/t/data/a');
  });

  it('is built again on another base from the manifest of the first attempt', async () => {
    const table = newTable();
    const added = [file('a', 1)];
    const attempt = async (number: number, addedManifests?: Awaited<ReturnType<typeof produceSnapshot>>['addedManifests']) =>
      produceSnapshot({
        base: table.metadata,
        branch: 'main',
        operation: 'append',
        snapshotId: 7n,
        nowMs: 2000,
        added,
        removedPaths: new Set(),
        manifests: await table.manifests(),
        readEntries: table.readEntries,
        attempt: number,
        ...(addedManifests === undefined ? {} : { addedManifests }),
      });
    const lost = await attempt(1);
    await table.commit({ operation: 'append', added: [file('b', 1)] });
    for (const { location, bytes } of lost.manifests) table.files.set(location, bytes);
    const won = await attempt(2, lost.addedManifests);
    expect(won.manifests).toEqual([]);
    expect(won.manifestList.location).toContain('/metadata/snap-7-2-');
    table.accept(won);
    expect(await livePaths(table)).toEqual(['file:///warehouse/t/data/a', 'file:///warehouse/t/data/b']);
    const sequences = (await table.manifests()).map((manifest) => manifest.sequenceNumber);
    expect(sequences).toEqual([1n, 2n]);
  });

  it('is not written on a branch that is not there', async () => {
    const table = newTable();
    const request = { base: table.metadata, operation: 'append', snapshotId: 1n, nowMs: 1, added: [], manifests: [] } as const;
    const produced = produceSnapshot({ ...request, branch: 'audit', removedPaths: new Set(), readEntries: table.readEntries });
    await expect(produced).rejects.toSatisfy((error) => IcecoreError.is(error, 'NOT_FOUND'));
  });

  it('has an id that fits a positive long', () => {
    const ids = Array.from({ length: 100 }, newSnapshotId);
    expect(new Set(ids).size).toBe(100);
    expect(ids.every((id) => id > 0n && id < 2n ** 63n)).toBe(true);
  });
});

/** The live files of a table of v3, with the first of their row ids and how many they have. */
async function rowIds(table: MemoryTable): Promise<ReadonlyMap<string, readonly [bigint, bigint]>> {
  const plan = planScan({
    table: table.metadata,
    schema: sampleSchema,
    manifests: await table.manifests(),
    filter: { op: 'true' },
    readEntries: table.readEntries,
  });
  const found = await Array.fromAsync(plan.tasks(), ({ file: { filePath, firstRowId, recordCount } }) => {
    if (firstRowId == null) throw new Error(`${filePath} has no row ids`);
    return [filePath, [firstRowId, recordCount] as const] as const;
  });
  return new Map(found);
}

describe('row ids of format version 3', () => {
  it('are given once to each file, are no other file’s, and stay through merges and upgrades', async () => {
    await fc.assert(
      fc.asyncProperty(history, fc.constantFrom('2', '3', '100'), fc.nat(4), async (steps, minCount, upgradeAfter) => {
        const table = newTable({ 'commit.manifest.min-count-to-merge': minCount }, 2);
        const given = new Map<string, readonly [bigint, bigint]>();
        let live: readonly string[] = [];
        for (const [step, { add, removeEvery }] of steps.entries()) {
          if (step === upgradeAfter) {
            table.metadata = applyUpdates(table.metadata, [{ action: 'upgrade-format-version', formatVersion: 3 }], 5000 + step);
          }
          const added = Array.from({ length: add }, (_, index) => ({
            ...file(`${step}-${index}`, index),
            recordCount: BigInt(1 + index * 3),
          }));
          const removedPaths = new Set(removeEvery === 0 ? [] : live.filter((_, index) => index % removeEvery === 0));
          const before = table.metadata.nextRowId ?? 0n;
          const { snapshot } = await table.commit({ operation: 'overwrite', added, removedPaths });
          live = [...live.filter((path) => !removedPaths.has(path)), ...added.map(({ filePath }) => filePath)].toSorted();
          if (step < upgradeAfter) continue;
          expect(snapshot.firstRowId).toBe(before);
          expect(table.metadata.nextRowId).toBe(before + (snapshot.addedRows ?? 0n));
          const now = await rowIds(table);
          expect([...now.keys()].toSorted()).toEqual(live);
          for (const [path, range] of now) {
            expect(range).toEqual(given.get(path) ?? range);
            given.set(path, range);
          }
          const ranges = [...given.values()].toSorted(([a], [b]) => Number(a - b));
          for (const [index, [first]] of ranges.entries()) {
            const [previous, count] = ranges[index - 1] ?? [0n, 0n];
            expect(first).toBeGreaterThanOrEqual(previous + count);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it('a deletion vector goes with its data file, and only its own', async () => {
    const table = newTable({}, 3);
    const [a, b] = [file('a', 1), file('b', 1)];
    await table.commit({ operation: 'append', added: [a, b] });
    const vector = (data: DataFile, contentOffset: bigint): DataFile => ({
      ...data,
      content: 'position-deletes',
      fileFormat: 'puffin',
      filePath: 'file:///warehouse/t/data/deletes.puffin',
      referencedDataFile: data.filePath,
      contentOffset,
      contentSizeInBytes: 40n,
    });
    await table.commit({ operation: 'delete', added: [vector(a, 4n), vector(b, 44n)] });
    await table.commit({ operation: 'overwrite', added: [file('c', 1)], removedPaths: new Set([a.filePath]) });
    const entries = await Promise.all(
      (await table.manifests()).map((manifest) => table.readEntries(manifest, { metrics: 'all' })),
    );
    const live = entries.flat().filter(({ status }) => status !== 'deleted');
    const vectors = live.filter(({ dataFile }) => dataFile.content === 'position-deletes').map(({ dataFile }) => dataFile);
    expect(vectors).toMatchObject([{ referencedDataFile: b.filePath, contentOffset: 44n, contentSizeInBytes: 40n }]);
  });
});

describe('reachable files', () => {
  it('are the lists, manifests and live files of the snapshots given', async () => {
    const table = newTable();
    await table.commit({ operation: 'append', added: [file('a', 1)] });
    await table.commit({ operation: 'append', added: [file('b', 1)] });
    await table.commit({ operation: 'delete', removedPaths: new Set(['file:///warehouse/t/data/a']) });
    const reach = async (count: number) => {
      const found = reachableFiles({ ...table, snapshots: table.metadata.snapshots.slice(-count) });
      return Map.groupBy(await Array.fromAsync(found), ({ kind }) => kind);
    };
    const all = await reach(3);
    expect(all.get('manifest-list')).toHaveLength(3);
    expect(all.get('manifest')).toHaveLength(3);
    expect(new Set(all.get('data')?.map(({ path }) => path.slice(-1)))).toEqual(new Set(['a', 'b']));
    const last = await reach(1);
    expect(last.get('data')?.map(({ path }) => path.slice(-1))).toEqual(['b']);
  });
});
