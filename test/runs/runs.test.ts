import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Caller } from '../../src/access/caller.ts';
import { localCaller } from '../../src/access/local-caller.ts';
import { Audit } from '../../src/audit/audit.ts';
import { auditLog } from '../../src/audit/audit-entry.ts';
import { SigningKey } from '../../src/audit/signing-key.ts';
import { leaseOwner } from '../../src/catalog/lease-owner.ts';
import { systemClock } from '../../src/clock.ts';
import { IcecoreError } from '../../src/errors.ts';
import { parseIdentifier } from '../../src/iceberg/identifier.ts';
import { IcebergLedgerStore } from '../../src/ledger/iceberg-ledger-store.ts';
import { claimFor, replay } from '../../src/ledger/idempotency.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import type { RunContext } from '../../src/runs/run-handler.ts';
import { newRunId } from '../../src/runs/run-id.ts';
import { runTable } from '../../src/runs/run-table.ts';
import { Runs } from '../../src/runs/runs.ts';
import { Warehouse } from '../tables/warehouse.ts';

const ana: Caller = { actor: { id: 'ana', name: 'Ana', kind: 'HUMAN' }, roles: new Set(['scientist']), assurance: 'CREDENTIAL' };
const bob: Caller = { ...ana, actor: { id: 'bob', name: null, kind: 'SERVICE' } };

describe('runs', () => {
  let warehouse: Warehouse;
  let ledger: Ledger;
  let audit: Audit;
  const opened: Runs[] = [];

  beforeEach(async () => {
    warehouse = await Warehouse.open();
    const { catalog, tables } = warehouse;
    ledger = await Ledger.open({
      catalog,
      store: new IcebergLedgerStore(tables),
      indexDirectory: join(warehouse.directory, 'index'),
      tables: [runTable, auditLog],
      flushIntervalMs: null,
    });
    const signingKey = SigningKey.ephemeral();
    audit = new Audit({ catalog, ledger, clock: systemClock, signingKey, anchor: null, workDirectory: warehouse.directory });
  });
  afterEach(async () => {
    for (const runs of opened.splice(0)) await runs.close();
    await ledger.close();
    await warehouse.close();
  });

  /** A server's runs with one operation, `work`. */
  const server = (handler: (context: RunContext) => Promise<void>, leaseMs?: number): Runs => {
    const { catalog, tables } = warehouse;
    const runs = new Runs({
      catalog,
      ledger,
      audit,
      clock: systemClock,
      transaction: () => tables.transaction(),
      ...(leaseMs === undefined ? {} : { leaseMs }),
    });
    runs.register('work', { kind: 'MAINTENANCE', handler });
    opened.push(runs);
    return runs;
  };
  const finish = async (context: RunContext, result: unknown = null): Promise<void> => {
    const transaction = context.transaction();
    context.finish(transaction, { result, inputs: [{ tableUuid: 'u', tableName: 'raw.t', snapshotId: 7n }], outputs: [] });
    await transaction.commit();
  };
  const outcomes = async () => (await ledger.select(auditLog)).map((row) => row.outcome);

  test('answers at once, works behind, records what came of it and who asked', async () => {
    const runs = server(async (context) => {
      expect(context.caller).toEqual(ana);
      expect(context.input).toEqual({ table: 'raw.t', from: '9007199254740993' });
      context.progress(5n, 10n);
      await finish(context, { rows: 2n ** 60n });
    });
    const run = await runs.start({ caller: ana, operation: 'work', input: { table: 'raw.t', from: 9007199254740993n } });
    expect(run.status).toBe('RUNNING');
    const ended = await runs.ended(run.id);
    expect(ended).toMatchObject({
      status: 'SUCCEEDED',
      kind: 'MAINTENANCE',
      by: ana.actor,
      rowsDone: 5n,
      rowsTotal: 10n,
      result: { rows: (2n ** 60n).toString() },
      inputs: [{ tableUuid: 'u', tableName: 'raw.t', snapshotId: 7n }],
    });
    expect(await outcomes()).toEqual(['STARTED', 'SUCCEEDED']);
  });

  test('what a handler throws is the run’s error; a defect shows a reference only, and an early end is no success', async () => {
    const errors: unknown[] = [];
    const log = console.error;
    console.error = (...args: unknown[]) => errors.push(args);
    try {
      const failing = server(async ({ input }) => {
        if (input === 'known') throw new IcecoreError('NOT_FOUND', 'Table raw.x does not exist.');
        if (input === 'defect') throw new TypeError('secret detail');
      });
      const errorOf = async (input: string) => {
        const { id } = await failing.start({ caller: ana, operation: 'work', input });
        const run = await failing.ended(id);
        expect(run.status).toBe('FAILED');
        return run.error ?? '';
      };
      expect(await errorOf('known')).toBe('NOT_FOUND: Table raw.x does not exist.');
      expect(await errorOf('defect')).toMatch(/^INTERNAL: .*reference [0-9a-f-]{36}/);
      expect(await errorOf('early')).toMatch(/^INTERNAL/);
      expect(errors).toHaveLength(2);
    } finally {
      console.error = log;
    }
  });

  test('an abandoned server’s run is taken over from its input, and what the old one still tries fails', async () => {
    let release = (): void => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    const began = Promise.withResolvers<RunContext>();
    const lost = Promise.withResolvers<unknown>();
    const first = server(async (context) => {
      began.resolve(context);
      await held;
      const transaction = context.transaction();
      transaction.create(parseIdentifier('raw.twice'), { columns: [{ name: 'a', type: 'int' }] });
      // Not through the signal: this one does not know yet that it is lost.
      context.finish(transaction, { result: 'first', inputs: [], outputs: [] });
      await transaction.commit().catch((error: unknown) => {
        lost.resolve(error);
        throw error;
      });
    }, 600_000);
    const { id } = await first.start({ caller: ana, operation: 'work', input: 1 });
    await began.promise;
    // As if its lease had lapsed.
    const holder = await warehouse.catalog.leaseHolder(`run/${id}`);
    if (holder === null) throw new Error('nobody holds the lease');
    await warehouse.catalog.releaseLease(`run/${id}`, holder.owner, holder.fence);
    const second = server((context) => finish(context, `second for ${context.caller.actor.id}`));
    await second.begin();
    expect((await second.ended(id)).result).toBe('second for ana');
    release();
    expect(await lost.promise).toMatchObject({ code: 'CONFLICT' });
    expect(await warehouse.tables.find(parseIdentifier('raw.twice'))).toBeNull();
    expect((await first.ended(id)).result).toBe('second for ana');
    expect((await outcomes()).filter((outcome) => outcome === 'SUCCEEDED')).toHaveLength(1);
  });

  test('a lease of a process that is gone is taken at once', async () => {
    const dead = spawn(process.execPath, ['-e', '']);
    await once(dead, 'exit');
    const idle = server(async (context) => finish(context));
    const { catalog } = warehouse;
    const row = {
      ...(await rowOf(idle)),
      id: newRunId(Date.now()),
      status: 'RUNNING',
      attempt: 1,
    };
    await catalog.commit({ entries: [ledger.draft(runTable, row)] });
    const owner = leaseOwner().replace(`:${process.pid}:`, `:${dead.pid}:`);
    await catalog.acquireLease(`run/${row.id}`, owner, 3_600_000);
    await idle.recover();
    expect((await idle.ended(row.id)).status).toBe('SUCCEEDED');
    expect((await ledger.find(runTable, { id: row.id }))?.attempt).toBe(2);
  });

  test('a run that ended every server that began it fails', async () => {
    const idle = server(async (context) => finish(context));
    const row = { ...(await rowOf(idle)), id: newRunId(Date.now()), status: 'RUNNING', attempt: 5 };
    await warehouse.catalog.commit({ entries: [ledger.draft(runTable, row)] });
    await idle.recover();
    expect(await idle.ended(row.id)).toMatchObject({ status: 'FAILED' });
  });

  /** A run's row to make others from. */
  const rowOf = async (runs: Runs) => {
    const { id } = await runs.start({ caller: ana, operation: 'work', input: null });
    await runs.ended(id);
    const row = await ledger.find(runTable, { id });
    if (row === null) throw new Error('no row');
    return row;
  };

  test('a cancellation that a take-over comes before cancels what was taken over', async () => {
    const { catalog, tables } = warehouse;
    const stopped = Promise.withResolvers<void>();
    const began = Promise.withResolvers<void>();
    const runs = server(async (context) => {
      began.resolve();
      context.signal.addEventListener('abort', () => stopped.resolve());
      await stopped.promise;
      context.signal.throwIfAborted();
    });
    const { id } = await runs.start({ caller: ana, operation: 'work', input: 1 });
    await began.promise;
    const row = await ledger.find(runTable, { id });
    if (row === null) throw new Error('The run is not recorded.');
    let takeOver: Promise<unknown> | null = null;
    const transaction = () => {
      takeOver ??= catalog.commit({ entries: [ledger.draft(runTable, { ...row, attempt: 2 })] });
      return tables.transaction();
    };
    const other = new Runs({ catalog, ledger, audit, clock: systemClock, transaction });
    opened.push(other);
    expect((await other.cancel(id, ana)).status).toBe('CANCELLED');
    expect(takeOver).not.toBeNull();
    expect(await ledger.find(runTable, { id })).toMatchObject({ status: 'CANCELLED', attempt: 2 });
    expect((await runs.cancel(id, ana)).status).toBe('CANCELLED');
    stopped.resolve();
  });

  test('cancelled by whom it belongs to or an admin; the handler is told, and cannot commit', async () => {
    const began = Promise.withResolvers<RunContext>();
    const stopped = Promise.withResolvers<void>();
    const runs = server(async (context) => {
      began.resolve(context);
      context.signal.addEventListener('abort', () => stopped.resolve());
      await stopped.promise;
      await finish(context);
    });
    const { id } = await runs.start({ caller: ana, operation: 'work', input: 1 });
    await began.promise;
    await expect(runs.cancel(id, bob)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    expect((await runs.cancel(id, localCaller)).status).toBe('CANCELLED');
    await stopped.promise;
    expect((await runs.cancel(id, ana)).status).toBe('CANCELLED');
    await expect(runs.cancel('none', ana)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await outcomes()).toEqual(['STARTED', 'CANCELLED']);
  });

  test('closing lets go: another server goes on at once', async () => {
    const began = Promise.withResolvers<RunContext>();
    const first = server(async (context) => {
      began.resolve(context);
      await new Promise((_resolve, reject) => context.signal.addEventListener('abort', () => reject(context.signal.reason)));
    });
    const { id } = await first.start({ caller: ana, operation: 'work', input: 1 });
    await began.promise;
    await first.close();
    const second = server(async (context) => finish(context));
    await second.begin();
    expect((await second.ended(id)).status).toBe('SUCCEEDED');
  });

  test('is watched from its state of now to its end, the latest state winning', async () => {
    const go = Promise.withResolvers<void>();
    const runs = server(async (context) => {
      for (let row = 1n; row <= 1000n; row++) context.progress(row, 1000n);
      await go.promise;
      await finish(context);
    });
    const { id } = await runs.start({ caller: ana, operation: 'work', input: 1 });
    const seen: string[] = [];
    for await (const run of runs.watch(id)) {
      seen.push(`${run.status} ${run.rowsDone}`);
      if (run.rowsDone === 1000n) go.resolve();
    }
    expect(seen.at(-1)).toBe('SUCCEEDED 1000');
    expect(seen).toContain('RUNNING 1000');
    expect(seen.length).toBeLessThan(10);
    const aborted = AbortSignal.abort();
    const none = [];
    for await (const run of runs.watch(id, aborted)) none.push(run);
    expect(none).toEqual([]);
  });

  test('many at once all end; lists are pages, newest first', async () => {
    const runs = server(async (context) => finish(context));
    const started = await Promise.all(
      Array.from({ length: 25 }, (_, index) => runs.start({ caller: ana, operation: 'work', input: index })),
    );
    for (const { id } of started) expect((await runs.ended(id)).status).toBe('SUCCEEDED');
    const ids: string[] = [];
    let page = await runs.list({ kind: 'MAINTENANCE', status: 'SUCCEEDED', first: 10 });
    for (;;) {
      ids.push(...page.runs.map((run) => run.id));
      if (!page.hasNextPage) break;
      page = await runs.list({ kind: 'MAINTENANCE', status: 'SUCCEEDED', first: 10, after: page.runs.at(-1) ?? null });
    }
    expect(new Set(ids).size).toBe(25);
    expect(ids).toHaveLength(25);
    expect((await runs.list({ kind: 'SCORING' })).runs).toEqual([]);
    const last = started[24];
    expect((await runs.getMany(['none', last?.id ?? '']))?.map((run) => run?.id ?? null)).toEqual([null, last?.id]);
  });

  test('an idempotency key is claimed with the start', async () => {
    const runs = server(async (context) => finish(context));
    const call = { caller: ana, mutation: 'work', key: 'k', input: { table: 'raw.t' } };
    const start = () =>
      runs.start({ caller: ana, operation: 'work', input: 1, idempotency: (run) => claimFor(call, { run }, systemClock) });
    const { id } = await start();
    expect(await replay(warehouse.catalog, call)).toEqual({ run: id });
    await expect(start()).rejects.toMatchObject({ code: 'CONFLICT' });
    await expect(replay(warehouse.catalog, { ...call, input: {} })).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(await replay(warehouse.catalog, { ...call, caller: bob })).toBeNull();
    expect((await runs.list({})).runs).toHaveLength(1);
    await runs.ended(id);
  });
});

test('run ids rise with time', () => {
  const ids = [1_700_000_000_000, 1_700_000_000_001, 1_800_000_000_000].map(newRunId);
  expect([...ids].sort()).toEqual(ids);
  expect(ids[0]).toMatch(/^018bcfe5-6800-7[0-9a-f]{3}-[89ab]/);
});
