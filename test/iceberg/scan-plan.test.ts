import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bindExpression } from '../../src/iceberg/expression-bind.ts';
import { evaluateExpression } from '../../src/iceberg/expression-evaluate.ts';
import { newTableMetadata } from '../../src/iceberg/new-metadata.ts';
import { buildPartitionSpec } from '../../src/iceberg/partition-spec.ts';
import type { ScanPosition } from '../../src/iceberg/scan-manifests.ts';
import { planScan } from '../../src/iceberg/scan-plan.ts';
import { applyTransform } from '../../src/iceberg/transform.ts';
import { manifestsReadAheadMax } from '../../src/limits.ts';
import { MemoryTable } from './memory-table.ts';
import { cellsOf, fileOf, knownMetrics, type SampleRow, samplePredicate, sampleRow, sampleSchema } from './predicate-sample.ts';

const partitionSpec = buildPartitionSpec(sampleSchema, [
  { column: 'ts', transform: 'day' },
  { column: 's', transform: 'truncate[1]' },
]);

function newTable(): MemoryTable {
  const location = 'file:///warehouse/t';
  return new MemoryTable(
    newTableMetadata({
      uuid: '9c12d441-03fe-4693-9a96-a0705ddf69c1',
      location,
      schema: sampleSchema,
      partitionSpec,
      properties: {},
      formatVersion: 2,
      nowMs: 1,
    }),
  );
}

function partitionOf(row: SampleRow): readonly [ReturnType<typeof applyTransform>, ReturnType<typeof applyTransform>] {
  return [applyTransform('day', 'timestamptz', row[5] ?? null), applyTransform('truncate[1]', 'string', row[3] ?? null)];
}

describe('the plan of a scan', () => {
  it('finds every matching row: in its tasks, by their residuals', async () => {
    const commits = fc.array(fc.array(sampleRow, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(commits, samplePredicate, knownMetrics, async (batches, predicate, known) => {
        const table = newTable();
        const rows = new Map<string, SampleRow>();
        for (const [commit, batch] of batches.entries()) {
          const added = batch.map((row, index) => {
            const filePath = `file:///warehouse/t/data/${commit}-${index}`;
            rows.set(filePath, row);
            return { ...fileOf([row], partitionOf(row), known), filePath };
          });
          await table.commit({ operation: 'append', added });
        }
        const filter = bindExpression(sampleSchema, predicate);
        const plan = planScan({
          table: table.metadata,
          schema: sampleSchema,
          manifests: await table.manifests(),
          filter,
          readEntries: table.readEntries,
        });
        const planned = await Array.fromAsync(plan.tasks());
        const selected = planned.filter(({ file, residual }) => {
          const row = rows.get(file.filePath);
          return row !== undefined && evaluateExpression(residual, cellsOf(row));
        });
        const expected = [...rows].filter(([, row]) => evaluateExpression(filter, cellsOf(row))).map(([path]) => path);
        expect(selected.map(({ file }) => file.filePath).toSorted()).toEqual(expected.toSorted());
        expect(plan.counters).toMatchObject({
          filesTotal: rows.size,
          filesMatched: planned.length,
          manifestsTotal: batches.length,
          rowsMatched: BigInt(planned.length),
          bytesMatched: BigInt(planned.length * 100),
        });
        expect(plan.counters.manifestsRead + plan.counters.manifestsSkipped).toBe(batches.length);
      }),
      { numRuns: 150 },
    );
  });

  it('hands deletes to the files they are for, and skips those of partitions that cannot match', async () => {
    const table = newTable();
    const row = (day: number): SampleRow => [1, null, null, 'a', null, BigInt(day) * 86_400_000_000n, null];
    const file = (name: string, day: number) => ({
      ...fileOf([row(day)], partitionOf(row(day))),
      filePath: `file:///warehouse/t/data/${name}`,
    });
    await table.commit({ operation: 'append', added: [file('one', 1), file('two', 2)] });
    await table.commit({ operation: 'delete', added: [{ ...file('gone', 1), content: 'position-deletes' }] });
    const plan = (literal: string) => {
      const filter = bindExpression(sampleSchema, { op: 'gt-eq', column: 'ts', literal });
      return table
        .manifests()
        .then((manifests) =>
          Array.fromAsync(
            planScan({ table: table.metadata, schema: sampleSchema, manifests, filter, readEntries: table.readEntries }).tasks(),
          ),
        );
    };
    const deletes = (tasks: Awaited<ReturnType<typeof plan>>) =>
      tasks.map((task) => task.deletes.map(({ filePath }) => filePath.slice(-4)));
    expect(deletes(await plan('1970-01-01'))).toEqual([['gone'], []]);
    expect(deletes(await plan('1970-01-03'))).toEqual([[]]);
  });

  it('stops at the signal, and at what a manifest cannot be read for', async () => {
    const table = newTable();
    await table.commit({ operation: 'append', added: [{ ...fileOf([], [1, 'a']), recordCount: 1n }] });
    const request = {
      table: table.metadata,
      schema: sampleSchema,
      manifests: await table.manifests(),
      filter: { op: 'true' },
    } as const;
    const aborted = planScan({ ...request, readEntries: table.readEntries, signal: AbortSignal.abort(new Error('left')) });
    await expect(Array.fromAsync(aborted.tasks())).rejects.toThrow('left');
    const unreadable = planScan({ ...request, readEntries: async () => Promise.reject(new Error('no such object')) });
    await expect(Array.fromAsync(unreadable.tasks())).rejects.toThrow('no such object');
  });

  it('gives its first task when few manifests are read, and reads no more until it is asked for more', async () => {
    const table = newTable();
    const manifestsTotal = 3 * manifestsReadAheadMax;
    for (let commit = 0; commit < manifestsTotal; commit++) {
      await table.commit({
        operation: 'append',
        added: [{ ...fileOf([], [1, 'a']), filePath: `file-${commit}`, recordCount: 1n }],
      });
    }
    let reads = 0;
    const plan = planScan({
      table: table.metadata,
      schema: sampleSchema,
      manifests: await table.manifests(),
      filter: { op: 'true' },
      readEntries: async (manifest, projection) => {
        reads++;
        return table.readEntries(manifest, projection);
      },
    });
    const tasks = plan.tasks();
    await tasks.next();
    expect(reads).toBe(manifestsReadAheadMax);
    await tasks.next();
    expect(reads).toBe(manifestsReadAheadMax + 1);
    await tasks.return(undefined);
    expect(reads).toBeLessThan(manifestsTotal);
  });

  it('of parts of a snapshot gives, put together, the whole, wherever each part ends', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 5 }),
        fc.array(fc.nat(20)),
        async (commits, cuts) => {
          const table = newTable();
          for (const [commit, files] of commits.entries()) {
            const added = Array.from({ length: files }, (_, index) => ({
              ...fileOf([], [index, 'a']),
              filePath: `${commit}-${index}`,
              recordCount: 1n,
            }));
            await table.commit({ operation: 'append', added });
          }
          const request = {
            table: table.metadata,
            schema: sampleSchema,
            manifests: await table.manifests(),
            filter: { op: 'true' } as const,
            readEntries: table.readEntries,
          };
          const whole = (await Array.fromAsync(planScan(request).tasks())).map(({ file }) => file.filePath);
          const parts: string[] = [];
          let from: ScanPosition = { manifest: 0, tasks: 0 };
          for (const wanted of [...cuts, Number.POSITIVE_INFINITY]) {
            const plan = planScan({ ...request, range: { from, untilManifest: commits.length } });
            let drawn = 0;
            for await (const { file } of wanted === 0 ? [] : plan.tasks()) {
              parts.push(file.filePath);
              if (++drawn === wanted) break;
            }
            from = { ...plan.position };
          }
          expect(parts).toEqual(whole);
        },
      ),
      { numRuns: 30 },
    );
  });
});
