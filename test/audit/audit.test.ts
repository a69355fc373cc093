import { appendFile, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Caller } from '../../src/access/caller.ts';
import { fileAnchor } from '../../src/audit/anchor.ts';
import { Audit } from '../../src/audit/audit.ts';
import { auditLog } from '../../src/audit/audit-entry.ts';
import { SigningKey, verifySignature } from '../../src/audit/signing-key.ts';
import { ManualClock } from '../../src/clock.ts';
import { IcecoreError } from '../../src/errors.ts';
import { IcebergLedgerStore } from '../../src/ledger/iceberg-ledger-store.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { overwriteAll } from '../../src/tables/actions/replace-files.ts';
import { writeDataFiles } from '../../src/tables/data-file-writer.ts';
import { resolveAsOf } from '../../src/tables/resolve-as-of.ts';
import { scanRelation } from '../../src/tables/scan-relation.ts';
import { Warehouse } from '../tables/warehouse.ts';

const ana: Caller = { actor: { id: 'ana', name: 'Ana', kind: 'HUMAN' }, roles: new Set(['scientist']), assurance: 'CREDENTIAL' };

describe('the audit log', () => {
  let clock: ManualClock;
  let warehouse: Warehouse;
  let ledger: Ledger;
  let audit: Audit;
  let anchorPath: string;

  beforeEach(async () => {
    clock = new ManualClock(1_700_000_000_000_000n);
    warehouse = await Warehouse.open(clock);
    anchorPath = join(warehouse.directory, 'outside', 'anchor.jsonl');
    ledger = await Ledger.open({
      catalog: warehouse.catalog,
      store: new IcebergLedgerStore(warehouse.tables),
      indexDirectory: join(warehouse.directory, 'index'),
      tables: [auditLog],
      flushIntervalMs: null,
    });
    audit = new Audit({
      catalog: warehouse.catalog,
      ledger,
      clock,
      signingKey: await SigningKey.load(join(warehouse.directory, 'config', 'key.pem')),
      anchor: fileAnchor(anchorPath),
      workDirectory: warehouse.directory,
    });
  });
  afterEach(async () => {
    await ledger.close();
    await warehouse.close();
  });

  const act = (action: string, subject = 'model/churn', payload: unknown = {}) =>
    warehouse.catalog.commit({ links: [audit.link({ caller: ana, action, subject, outcome: 'SUCCEEDED', payload })] });

  test('concurrent commits are one chain, half in Iceberg, half in the journal', async () => {
    await Promise.all(Array.from({ length: 40 }, (_, index) => act(`a${index}`, 'model/churn', { big: 2n ** 63n - 1n, index })));
    await ledger.flush();
    await Promise.all(Array.from({ length: 40 }, (_, index) => act(`b${index}`)));
    expect(await audit.verify()).toEqual({
      consistent: true,
      headSeq: 80n,
      verifiedThroughSeq: null,
      anchor: anchorPath,
      firstFault: null,
    });
    clock.advance(5n);
    await audit.checkpoint();
    expect(await audit.checkpoint()).toBeNull();
    await act('later');
    expect(await audit.verify()).toMatchObject({ consistent: true, headSeq: 81n, verifiedThroughSeq: 80n });
    await audit.close();
    expect(await audit.verify()).toMatchObject({ consistent: true, headSeq: 81n, verifiedThroughSeq: 81n });
  });

  test('an entry is there if and only if what it tells about is', async () => {
    const guarded = {
      links: [audit.link({ caller: ana, action: 'x', subject: 's', outcome: 'SUCCEEDED', payload: {} })],
      guards: [{ subject: 'audit_log', seq: 99n }],
    };
    await expect(warehouse.catalog.commit(guarded)).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(await audit.verify()).toMatchObject({ headSeq: 0n, consistent: true });
  });

  test('what another engine does to the table is found', async () => {
    for (let index = 0; index < 6; index++) await act(`a${index}`);
    await ledger.flush();
    const table = await warehouse.load('icecore.audit_log');
    const scan = await scanRelation(warehouse.tables, { table, snapshot: resolveAsOf(table) });
    const forge = async (select: string) => {
      const { files } = await warehouse.duckdb.trusted.use((connection) =>
        writeDataFiles(warehouse.tables, { connection, metadata: table.metadata, relation: `(${select})` }),
      );
      const transaction = warehouse.tables.transaction();
      transaction.change(
        table,
        overwriteAll(files, {}, () => undefined),
      );
      await transaction.commit();
      return audit.verify();
    };
    const t = scan.sql;
    const changed = await forge(`SELECT * REPLACE (if(seq = 3, 'ceo', actor_id) AS actor_id) FROM ${t}`);
    expect(changed).toMatchObject({ consistent: false, firstFault: expect.stringContaining('Entry 3 was changed') });
    const removed = await forge(`SELECT * FROM ${t} WHERE seq <> 4`);
    expect(removed.firstFault).toContain('Entry 5 comes after entry 3');
    const inserted = await forge(`SELECT * FROM ${t} UNION ALL SELECT * FROM ${t} WHERE seq = 2`);
    expect(inserted.firstFault).toContain('Entry 2 comes after entry 2');
    const reordered = await forge(`SELECT * REPLACE (CASE seq WHEN 2 THEN 3 WHEN 3 THEN 2 ELSE seq END AS seq) FROM ${t}`);
    expect(reordered.firstFault).toContain('Entry 2');
    const cut = await forge(`SELECT * FROM ${t} WHERE seq < 5`);
    expect(cut.firstFault).toContain('it was cut');
    expect(await forge(`SELECT * FROM ${t}`)).toMatchObject({ consistent: true, headSeq: 6n });
    scan.release();
  });

  test('refused attempts: one entry each for the known, one a minute for the unknown', async () => {
    await audit.refused(ana, 'reviewModelVersion', 'model/churn', new IcecoreError('FORBIDDEN', 'no'));
    for (let index = 0; index < 5; index++)
      await audit.refused(null, 'graphql', 'server', new IcecoreError('UNAUTHENTICATED', 'who?'));
    await audit.recordUnknownRefusals();
    await audit.recordUnknownRefusals();
    const { entries } = await audit.entries({});
    expect(entries.map((row) => [row.actor_id, row.action, row.outcome, row.payload])).toEqual([
      ['icecore', 'refuseUnknownCallers', 'UNAUTHENTICATED', '{"counts":{"UNAUTHENTICATED":5}}'],
      ['ana', 'reviewModelVersion', 'FORBIDDEN', '{}'],
    ]);
  });

  test('entries by subject with its versions, actor and time; in pages, newest first', async () => {
    for (const subject of ['table/a', 'table/a@1', 'table/a@2', 'table/ab', 'table/b']) {
      await act('write', subject);
      clock.advance(10n);
    }
    const subjects = async (filter: Parameters<Audit['entries']>[0]) =>
      (await audit.entries(filter)).entries.map((row) => row.subject);
    expect(await subjects({ subject: 'table/a' })).toEqual(['table/a@2', 'table/a@1', 'table/a']);
    expect(await subjects({ subject: 'table/a@1' })).toEqual(['table/a@1']);
    expect(await subjects({ actor: 'bob' })).toEqual([]);
    const start = 1_700_000_000_000_000n;
    expect(await subjects({ fromMicros: start + 10n, toMicros: start + 30n })).toEqual(['table/a@2', 'table/a@1']);
    const first = await audit.entries({ first: 2 });
    expect(first.hasNextPage).toBe(true);
    const second = await audit.entries({ first: 3, afterSeq: first.entries.at(-1)?.seq ?? null });
    expect(second.hasNextPage).toBe(false);
    expect([...first.entries, ...second.entries].map((row) => row.seq)).toEqual([5n, 4n, 3n, 2n, 1n]);
  });

  test('the key is made once, for its owner alone, and its signatures can be checked by others', async () => {
    const path = join(warehouse.directory, 'new', 'key.pem');
    const [first, second] = await Promise.all([SigningKey.load(path), SigningKey.load(path)]);
    expect(first.keyId).toBe(second.keyId);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const publicKey = await readFile(`${path}.pub`, 'utf8');
    const signature = first.sign('what was decided');
    expect(verifySignature(publicKey, 'what was decided', signature)).toBe(true);
    expect(second.verify('what was decided!', signature)).toBe(false);
    expect(verifySignature(publicKey, 'what was decided', 'x')).toBe(false);
    await expect(SigningKey.load(`${path}.pub`)).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
  });

  test('a line that a crash cut off in the anchor never counted; a damaged one is a fault', async () => {
    await act('a');
    await audit.checkpoint();
    await appendFile(anchorPath, '{"chain":"audit","se');
    expect(await audit.verify()).toMatchObject({ consistent: true, verifiedThroughSeq: 1n });
    await appendFile(anchorPath, '\n');
    expect((await audit.verify()).firstFault).toContain('not readable');
  });
});
