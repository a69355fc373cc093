import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CatalogChange } from '../../src/catalog/catalog.ts';
import { IcecoreError } from '../../src/errors.ts';
import { parseIdentifier } from '../../src/iceberg/identifier.ts';
import { snapshotById } from '../../src/iceberg/metadata.ts';
import { newSnapshotId } from '../../src/iceberg/snapshot-id.ts';
import { commitsWaitingMax } from '../../src/limits.ts';
import { appendFiles } from '../../src/tables/actions/append-files.ts';
import { expireSnapshots } from '../../src/tables/actions/expire-snapshots.ts';
import { setProperties } from '../../src/tables/actions/set-properties.ts';
import { commitWrite } from '../../src/tables/prepared-write.ts';
import { writeRows } from '../../src/tables/write-rows.ts';
import { Warehouse } from './warehouse.ts';

let warehouse: Warehouse;
beforeAll(async () => {
  warehouse = await Warehouse.open();
});
afterAll(() => warehouse.close());

/** The changes that the catalog is asked for while `work` runs. */
async function changesDuring(work: () => Promise<unknown>): Promise<readonly CatalogChange[]> {
  const { catalog } = warehouse.tables;
  const changes: CatalogChange[] = [];
  const commit = catalog.commit.bind(catalog);
  catalog.commit = (change) => {
    changes.push(change);
    return commit(change);
  };
  try {
    await work();
  } finally {
    catalog.commit = commit;
  }
  return changes;
}

const columns = [{ name: 'id', type: 'int' }];
const entry = (subject: string) => ({ table: 'icecore.runs', subject, row: '{}' });
const claim = (key: string) => ({
  scope: 'ann/append',
  key,
  inputSha256: 'abc',
  answer: '{}',
  expiresAtMs: Number.MAX_SAFE_INTEGER,
});

describe('writers of one table', () => {
  test('who come while a commit is under way share the next, each with its own snapshot, entries and answer', async () => {
    const name = 'raw.shared';
    const { metadata, identifier } = await warehouse.create(name, { columns });
    const writers = Array.from({ length: 12 }, (_, writer) => {
      const snapshotId = newSnapshotId();
      const transaction = warehouse.tables.transaction();
      transaction.change(identifier, appendFiles([], { snapshotId, summary: { writer: String(writer) } }));
      for (let i = 0; i <= writer % 3; i++) transaction.entry(entry(`run/${writer}/${i}`));
      transaction.claim(claim(`shared-${writer}`));
      return { writer, snapshotId, transaction };
    });
    const outcomes = new Map<number, readonly bigint[]>();
    const changes = await changesDuring(async () => {
      await Promise.all(
        writers.map(async ({ writer, snapshotId, transaction }) => {
          const { tables, seqs } = await transaction.commit();
          expect(tables.map((table) => snapshotById(table.metadata, snapshotId)?.summary.writer)).toEqual([String(writer)]);
          outcomes.set(writer, seqs);
        }),
      );
    });
    expect(changes.length).toBeLessThan(writers.length);
    const after = (await warehouse.load(name)).metadata;
    expect(after.snapshots.map(({ summary }) => Number(summary.writer)).toSorted((a, b) => a - b)).toEqual(
      writers.map(({ writer }) => writer),
    );
    expect(after.metadataLog.length).toBe(metadata.metadataLog.length + changes.length);
    // One chain of parents, and numbers and times that rise along it.
    for (const [index, snapshot] of after.snapshots.entries()) {
      const parent = after.snapshots[index - 1];
      expect(snapshot.parentSnapshotId).toBe(parent?.snapshotId ?? null);
      expect(snapshot.sequenceNumber).toBe(BigInt(index + 1));
      expect(snapshot.timestampMs).toBeGreaterThan(parent?.timestampMs ?? 0);
    }
    const { entries } = await warehouse.tables.catalog.journalAfter(0n, 1000);
    const subjects = new Map(entries.map(({ seq, subject }) => [seq, subject]));
    for (const [writer, seqs] of outcomes) {
      expect(seqs.map((seq) => subjects.get(seq))).toEqual(
        Array.from({ length: 1 + (writer % 3) }, (_, i) => `run/${writer}/${i}`),
      );
      expect(await warehouse.tables.catalog.answer('ann/append', `shared-${writer}`)).not.toBeNull();
    }
  });

  test('one whose change does not go fails alone, and so does one whose key was used', async () => {
    const name = 'raw.shared_failing';
    const { identifier, uuid } = await warehouse.create(name, { columns });
    await warehouse.tables.catalog.commit({ claims: [claim('used')] });
    const commit = (prepare: (transaction: ReturnType<typeof warehouse.tables.transaction>) => void) => {
      const transaction = warehouse.tables.transaction();
      prepare(transaction);
      return transaction.commit();
    };
    const property = (key: string) => setProperties({ [key]: 'set' });
    const refused = {
      name: 'refused',
      apply: async () => ({ updates: [], requirements: [{ type: 'assert-default-spec-id' as const, defaultSpecId: 7 }] }),
    };
    const outcomes = await Promise.allSettled([
      commit((transaction) => transaction.change(identifier, property('first'))),
      commit((transaction) => transaction.change(identifier, property('a'))),
      commit((transaction) => {
        transaction.change(identifier, property('half'));
        transaction.change(identifier, refused);
      }),
      commit((transaction) => {
        transaction.change(identifier, property('b'));
        transaction.claim(claim('used'));
      }),
      commit((transaction) =>
        transaction.change({ identifier, uuid: `${uuid.slice(0, -1)}x`, metadata: undefined as never }, property('c')),
      ),
      commit((transaction) => transaction.change(identifier, property('d'))),
    ]);
    expect(outcomes.map((outcome) => (outcome.status === 'fulfilled' ? 'done' : outcome.reason.code))).toEqual([
      'done',
      'done',
      'CONFLICT',
      'CONFLICT',
      'CONFLICT',
      'done',
    ]);
    const { properties } = (await warehouse.load(name)).metadata;
    expect(
      Object.keys(properties)
        .filter((key) => properties[key] === 'set')
        .toSorted(),
    ).toEqual(['a', 'd', 'first']);
  });

  test('one that would not go behind another’s is not refused for it where that one is not committed', async () => {
    const name = 'raw.shared_refused';
    const { identifier } = await warehouse.create(name, { columns });
    await warehouse.tables.catalog.commit({ claims: [claim('refused')] });
    const outcomes = await Promise.allSettled(
      ['first', 'used', 'last'].map((writer) => {
        const transaction = warehouse.tables.transaction();
        const expected = writer === 'last' ? { expectedSnapshotId: 1n } : {};
        transaction.change(
          identifier,
          appendFiles([], { snapshotId: BigInt(['first', 'used', 'last'].indexOf(writer) + 1), ...expected }),
        );
        if (writer === 'used') transaction.claim(claim('refused'));
        return transaction.commit();
      }),
    );
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect((await warehouse.load(name)).metadata.snapshots.map(({ snapshotId }) => snapshotId)).toEqual([1n, 3n]);
  });

  test('leave no data files where they are refused, whatever for', async () => {
    const name = 'raw.shared_left';
    const { identifier, metadata } = await warehouse.create(name, { columns });
    const { storage } = warehouse.tables;
    for (const code of ['BAD_USER_INPUT', 'FORBIDDEN', 'CONFLICT', 'PINNED', 'FAILED_PRECONDITION'] as const) {
      const file = `${metadata.location}/data/${code}.parquet`;
      await storage.write(file, new Uint8Array(1));
      const transaction = warehouse.tables.transaction();
      transaction.onRollback([file]);
      const apply = () => Promise.reject(new IcecoreError(code, 'No.'));
      transaction.change(identifier, { name: 'refused', apply });
      await expect(transaction.commit()).rejects.toMatchObject({ code });
      expect(await storage.size(file), code).toBeNull();
    }
  });

  test('have their snapshot as the answer, also where an expiry behind them took it out again', async () => {
    const name = 'raw.shared_expired';
    const table = await warehouse.create(name, { columns });
    const append = (snapshotId: bigint) => {
      const action = appendFiles([], { snapshotId });
      const prepared = { table, snapshotId, action, files: [], rowsAdded: 0n, rowsRemoved: 0n };
      return commitWrite(warehouse.tables, { identifier: table.identifier }, prepared);
    };
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    const holder = warehouse.tables.turns.take([name], () => gate);
    const writes = [append(1n), append(2n)];
    await Promise.resolve();
    const expiring = warehouse.tables.transaction();
    expiring.change(
      table,
      expireSnapshots({ olderThanMs: Date.now() + 60_000, keepLast: 1 }, () => undefined),
    );
    const expired = expiring.commit();
    open();
    await Promise.all([holder, expired]);
    expect((await Promise.all(writes)).map(({ snapshot }) => snapshot.snapshotId)).toEqual([1n, 2n]);
    expect((await warehouse.load(name)).metadata.snapshots.map(({ snapshotId }) => snapshotId)).toEqual([2n]);
  });

  test('who find a long line are turned away, and all in the line are served', async () => {
    const name = 'raw.shared_line';
    const { identifier } = await warehouse.create(name, { columns });
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    const holder = warehouse.tables.turns.take([name], () => gate);
    const writers = Array.from({ length: commitsWaitingMax + 2 }, (_, writer) => {
      const transaction = warehouse.tables.transaction();
      transaction.change(identifier, setProperties({ [`writer-${writer}`]: 'set' }));
      return transaction.commit();
    });
    const [last, ...before] = writers.toReversed();
    await expect(last).rejects.toMatchObject({ code: 'OVERLOADED', retryable: true });
    open();
    await holder;
    const outcomes = await Promise.allSettled(before);
    expect(outcomes.filter(({ status }) => status === 'fulfilled').length).toBe(commitsWaitingMax);
    const { properties } = (await warehouse.load(name)).metadata;
    expect(Object.values(properties).filter((value) => value === 'set').length).toBe(commitsWaitingMax);
  });

  test('of many appends at once no row is lost and none is there twice, whatever fails between them', async () => {
    let tables = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { minLength: 2, maxLength: 12 }), async (goes) => {
        const name = `raw.shared_rows_${tables++}`;
        const identifier = parseIdentifier(name);
        await warehouse.create(name, { columns });
        const outcomes = await Promise.allSettled(
          goes.map((isGood, id) =>
            writeRows(warehouse.tables, {
              identifier,
              rows: { json: [{ id }] },
              mode: 'APPEND',
              ...(isGood ? {} : { expectedSnapshotId: 5n }),
            }),
          ),
        );
        expect(outcomes.map(({ status }) => status === 'fulfilled')).toEqual(goes);
        const rows = await warehouse.rows(name, 'SELECT id FROM t ORDER BY id');
        expect(rows).toEqual(goes.flatMap((isGood, id) => (isGood ? [{ id }] : [])));
      }),
      { numRuns: 6 },
    );
  });
});
