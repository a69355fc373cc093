import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Catalog, CatalogChange, CommitEvent, PointerChange } from '../../src/catalog/catalog.ts';
import { type Clock, ManualClock } from '../../src/clock.ts';
import { printIdentifier } from '../../src/iceberg/identifier.ts';
import { auditLink, chainAuthors, wholeJournal } from './chain.ts';
import { namespaceBehaviours } from './namespace-behaviours.ts';
import { viewBehaviours } from './view-behaviours.ts';

/** A fresh, empty catalog that several connections and processes can share. */
export interface CatalogStore {
  /** As `--catalog` takes it. */
  readonly uri: string;
  connect(clock: Clock): Promise<Catalog>;
  remove(): Promise<void>;
}

const startMicros = 1_000_000_000_000_000n;
const flights = { namespace: ['raw'], name: 'flights' };
const airports = { namespace: ['raw'], name: 'airports' };
const create = (name: string, to = 'm0'): PointerChange => ({
  kind: 'create',
  identifier: { namespace: ['raw'], name },
  uuid: `uuid-${name}`,
  to,
});
const swap = (name: string, from: string, to: string): PointerChange => ({
  kind: 'swap',
  identifier: { namespace: ['raw'], name },
  uuid: `uuid-${name}`,
  from,
  to,
});
const drop = (name: string, from: string): PointerChange => ({
  kind: 'drop',
  identifier: { namespace: ['raw'], name },
  uuid: `uuid-${name}`,
  from,
});
const entry = (subject: string, row = '{}', table = 'icecore.runs') => ({ table, subject, row });

/** What every catalog does, whatever stands behind it. */
export function catalogBehaviours(makeStore: () => Promise<CatalogStore>): void {
  let store: CatalogStore;
  let clock: ManualClock;
  let catalog: Catalog;
  let other: Catalog;

  beforeEach(async () => {
    store = await makeStore();
    clock = new ManualClock(startMicros);
    [catalog, other] = await Promise.all([store.connect(clock), store.connect(clock)]);
  });

  afterEach(async () => {
    await Promise.all([catalog.close(), other.close()]);
    await store.remove();
  });

  describe('pointers', () => {
    test('a created table is found by name and by uuid, from another connection too', async () => {
      const pointer = { identifier: flights, uuid: 'uuid-flights', metadataLocation: 'm0' };
      expect(await catalog.load(flights)).toBeNull();
      await catalog.commit({ pointers: [create('flights')] });
      expect(await other.load(flights)).toEqual(pointer);
      expect(await other.loadByUuid('uuid-flights')).toEqual(pointer);
      expect(await other.loadByUuid('uuid-none')).toBeNull();
      expect(await other.loadManyByUuid(['uuid-none', 'uuid-flights', 'uuid-flights'])).toEqual([null, pointer, pointer]);
      expect(await other.loadMany([airports, flights, flights])).toEqual([null, pointer, pointer]);
    });

    test('of many that create one table, one wins, and the others are told its name', async () => {
      const outcomes = await Promise.allSettled(
        Array.from({ length: 20 }, (_, index) =>
          (index % 2 === 0 ? catalog : other).commit({
            pointers: [{ kind: 'create', identifier: flights, uuid: `uuid-${index}`, to: `m${index}` }],
          }),
        ),
      );
      expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected')
          expect(outcome.reason).toMatchObject({ code: 'ALREADY_EXISTS', context: { table: 'raw.flights' } });
      }
    });

    test('of many that swap from one metadata file, one wins; the others may try again', async () => {
      await catalog.commit({ pointers: [create('flights')] });
      const outcomes = await Promise.allSettled(
        Array.from({ length: 20 }, (_, index) =>
          (index % 2 === 0 ? catalog : other).commit({ pointers: [swap('flights', 'm0', `m1-${index}`)] }),
        ),
      );
      const winner = outcomes.findIndex((outcome) => outcome.status === 'fulfilled');
      expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
      expect((await catalog.load(flights))?.metadataLocation).toBe(`m1-${winner}`);
      for (const outcome of outcomes) {
        if (outcome.status === 'fulfilled') continue;
        expect(outcome.reason).toMatchObject({ code: 'CONFLICT', retryable: true, context: { table: 'raw.flights' } });
        expect(outcome.reason.message).toMatch(/raw\.flights was changed/);
      }
    });

    test('a drop and a swap race: one wins', async () => {
      await catalog.commit({ pointers: [create('flights')] });
      const outcomes = await Promise.allSettled([
        catalog.commit({ pointers: [drop('flights', 'm0')] }),
        other.commit({ pointers: [swap('flights', 'm0', 'm1')] }),
      ]);
      expect(outcomes.map((outcome) => outcome.status).toSorted()).toEqual(['fulfilled', 'rejected']);
      const left = await catalog.load(flights);
      expect(left?.metadataLocation ?? null).toBe(outcomes[0].status === 'fulfilled' ? null : 'm1');
    });

    test('a table that was dropped and made again is not the one a swap meant', async () => {
      await catalog.commit({ pointers: [create('flights')] });
      await catalog.commit({ pointers: [drop('flights', 'm0')] });
      await expect(catalog.commit({ pointers: [swap('flights', 'm0', 'm1')] })).rejects.toThrow(/no longer there/);
      await catalog.commit({ pointers: [{ kind: 'create', identifier: flights, uuid: 'uuid-new', to: 'm0' }] });
      await expect(catalog.commit({ pointers: [swap('flights', 'm0', 'm1')] })).rejects.toMatchObject({
        code: 'CONFLICT',
        message: expect.stringMatching(/dropped and another table has its name/),
      });
    });

    test('a change over several tables happens whole or not at all', async () => {
      await catalog.commit({ pointers: [create('flights'), create('airports')] });
      const change: CatalogChange = {
        pointers: [swap('flights', 'm0', 'm1'), create('carriers'), swap('airports', 'gone', 'm1')],
        entries: [entry('run/1')],
        links: [auditLink('a')],
        claims: [{ scope: 's', key: 'k', inputSha256: 'i', answer: '{}', expiresAtMs: Number.MAX_SAFE_INTEGER }],
      };
      await expect(catalog.commit(change)).rejects.toMatchObject({ code: 'CONFLICT', context: { table: 'raw.airports' } });
      expect((await catalog.list({ limit: 10 })).map((pointer) => pointer.metadataLocation)).toEqual(['m0', 'm0']);
      expect(await wholeJournal(catalog)).toEqual([]);
      expect(await catalog.headSeq()).toBe(0n);
      expect(await catalog.subjectSeq('run/1')).toBe(0n);
      expect(await catalog.chainHead('audit')).toEqual({ seq: 0n, hash: '0'.repeat(64) });
      expect(await catalog.answer('s', 'k')).toBeNull();
    });

    test('a table is renamed, and replaced, in one change, whatever the order in it', async () => {
      await catalog.commit({ pointers: [create('flights')] });
      const renamed = { namespace: ['raw', 'old'], name: 'flights' };
      await catalog.commit({
        pointers: [{ kind: 'create', identifier: renamed, uuid: 'uuid-flights', to: 'm1' }, drop('flights', 'm0')],
      });
      expect(await catalog.load(flights)).toBeNull();
      expect((await catalog.loadByUuid('uuid-flights'))?.identifier).toEqual(renamed);
      await expect(
        catalog.commit({ pointers: [{ kind: 'create', identifier: flights, uuid: 'uuid-flights', to: 'm1' }] }),
      ).rejects.toThrow(/another has it/);
    });

    test('tables are listed page by page in order of their printed names, below a namespace too', async () => {
      const identifiers = [
        { namespace: ['a'], name: 't' },
        { namespace: ['a'], name: 'é' },
        { namespace: ['a', 'b'], name: 't' },
        { namespace: ['a.b'], name: 't' },
        { namespace: ['a-b'], name: 't' },
        { namespace: ['a/b'], name: 't' },
        { namespace: ['a"'], name: 't' },
        { namespace: ['ab'], name: 't' },
        { namespace: ['b'], name: 'a.t' },
      ];
      await catalog.commit({
        pointers: identifiers.map((identifier, index) => ({ kind: 'create', identifier, uuid: `u${index}`, to: 'm' })),
      });
      expect(await pages(catalog, undefined)).toEqual([
        '"a""".t',
        '"a.b".t',
        'a-b.t',
        'a.b.t',
        'a.t',
        'a.é',
        'a/b.t',
        'ab.t',
        'b."a.t"',
      ]);
      expect(await pages(catalog, ['a'])).toEqual(['a.b.t', 'a.t', 'a.é']);
      expect(await pages(catalog, ['a', 'b'])).toEqual(['a.b.t']);
      expect(await pages(catalog, ['a.b'])).toEqual(['"a.b".t']);
      expect(await pages(catalog, ['none'])).toEqual([]);
    });
  });

  namespaceBehaviours(() => ({ catalog, other }));
  viewBehaviours(() => ({ catalog, other }));

  describe('journal', () => {
    test('sequence numbers rise by one over tables, commits and connections; links come after entries', async () => {
      const [first, second] = await Promise.all([
        catalog.commit({ links: [auditLink('a')], entries: [entry('run/1', '{"n":1}'), entry('run/2')] }),
        catalog.commit({ entries: [entry('model/churn', '{}', 'icecore.models')] }),
      ]);
      const third = await other.commit({ entries: [entry('run/1')] });
      expect([...first.seqs, ...second.seqs, ...third.seqs]).toEqual([1n, 2n, 3n, 4n, 5n]);
      expect(await catalog.headSeq()).toBe(5n);
      expect(await catalog.subjectSeq('run/1')).toBe(5n);
      expect(await catalog.subjectSeq('run/2')).toBe(2n);
      const { entries, trimmedThroughSeq } = await catalog.journalAfter(0n, 3);
      expect(entries.map(({ seq, table, subject }) => [seq, table, subject])).toEqual([
        [1n, 'icecore.runs', 'run/1'],
        [2n, 'icecore.runs', 'run/2'],
        [3n, 'icecore.audit_log', 'chain/audit'],
      ]);
      expect(entries[0]).toEqual({ seq: 1n, table: 'icecore.runs', subject: 'run/1', row: '{"n":1}', flushed: false });
      expect(trimmedThroughSeq).toBe(0n);
      expect((await catalog.journalAfter(3n, 10)).entries.map(({ seq }) => seq)).toEqual([4n, 5n]);
      expect((await catalog.journalAfter(5n, 10)).entries).toEqual([]);
    });

    test('a flush moves the pointer and marks the entries in one change', async () => {
      const runs = { namespace: ['icecore'], name: 'runs' };
      await catalog.commit({ entries: [entry('run/1'), entry('m/1', '{}', 'icecore.models'), entry('run/2')] });
      await catalog.commit({ entries: [entry('run/3')] });
      expect(await other.pendingTables()).toEqual(['icecore.models', 'icecore.runs']);
      await catalog.commit({
        pointers: [{ kind: 'create', identifier: runs, uuid: 'u', to: 'm0' }],
        flushed: [{ table: 'icecore.runs', throughSeq: 3n }],
      });
      const state = await other.systemTable('icecore.runs', runs);
      expect(state.pointer?.metadataLocation).toBe('m0');
      expect(state.entries.map(({ seq }) => seq)).toEqual([4n]);
      expect((await wholeJournal(other)).map(({ flushed }) => flushed)).toEqual([true, false, true, false]);
      expect((await other.systemTable('icecore.models', airports)).pointer).toBeNull();
    });

    test('what was flushed long enough ago is forgotten; what waits is kept; sequence numbers go on', async () => {
      await catalog.commit({ entries: [entry('run/1'), entry('m/1', '{}', 'icecore.models'), entry('run/2'), entry('run/3')] });
      await catalog.commit({ flushed: [{ table: 'icecore.runs', throughSeq: 3n }] });
      clock.advance(60_000_000n);
      await catalog.trim(60_000);
      expect(await wholeJournal(catalog)).toHaveLength(4);
      clock.advance(1_000n);
      await catalog.trim(60_000);
      const { entries, trimmedThroughSeq } = await other.journalAfter(0n, 10);
      expect(entries.map(({ seq }) => seq)).toEqual([2n, 4n]);
      expect(trimmedThroughSeq).toBe(3n);
      await catalog.commit({
        flushed: [
          { table: 'icecore.runs', throughSeq: 4n },
          { table: 'icecore.models', throughSeq: 4n },
        ],
      });
      clock.advance(3_600_000_000n);
      await catalog.trim(60_000);
      expect(await other.journalAfter(0n, 10)).toEqual({ entries: [], trimmedThroughSeq: 4n });
      expect(await catalog.subjectSeq('run/3')).toBe(4n);
      expect((await catalog.commit({ entries: [entry('run/4')] })).seqs).toEqual([5n]);
    });

    test('a long journal is forgotten whole', async () => {
      await catalog.commit({ entries: Array.from({ length: 5_000 }, (_, index) => entry(`run/${index}`)) });
      await catalog.commit({ flushed: [{ table: 'icecore.runs', throughSeq: 4_999n }] });
      clock.advance(1_000n);
      await catalog.trim(0);
      const { entries, trimmedThroughSeq } = await other.journalAfter(0n, 10);
      expect(entries.map(({ seq }) => seq)).toEqual([5_000n]);
      expect(trimmedThroughSeq).toBe(4_999n);
    });

    test('a guard lets one of two changes about one subject through', async () => {
      await catalog.commit({ guards: [{ subject: 'model/churn', seq: 0n }], entries: [entry('model/churn')] });
      const decide = (by: Catalog) =>
        by.commit({ guards: [{ subject: 'model/churn', seq: 1n }], entries: [entry('model/churn'), entry('model/other')] });
      const outcomes = await Promise.allSettled([decide(catalog), decide(catalog), decide(other)]);
      const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
      expect(refused).toHaveLength(2);
      for (const { reason } of refused) {
        expect(reason).toMatchObject({
          code: 'CONFLICT',
          retryable: true,
          context: { subject: 'model/churn', expected: '1', found: '2' },
        });
      }
      expect(await catalog.subjectSeq('model/churn')).toBe(2n);
      expect(await catalog.headSeq()).toBe(3n);
    });
  });

  describe('chains', () => {
    test('links of one commit follow each other; chains know nothing of each other', async () => {
      await catalog.commit({ links: [auditLink('a'), auditLink('b'), { ...auditLink('x'), chain: 'second' }] });
      expect((await catalog.chainHead('second')).seq).toBe(1n);
      expect((await catalog.chainHead('audit')).seq).toBe(2n);
    });

    test('concurrent commits of two connections make one unbroken chain, each link once', async () => {
      const names = Array.from({ length: 100 }, (_, index) => `link-${index}`);
      await Promise.all(names.map((name, index) => (index % 2 === 0 ? catalog : other).commit({ links: [auditLink(name)] })));
      expect((await chainAuthors(catalog)).toSorted()).toEqual(names.toSorted());
    });

    test('a commit that fails in the middle of others leaves no gap, and a seal that throws fails alone', async () => {
      const outcomes = await Promise.allSettled([
        catalog.commit({ links: [auditLink('a')], entries: [entry('run/1')] }),
        catalog.commit({ links: [auditLink('lost')], entries: [entry('run/2')], pointers: [drop('flights', 'm0')] }),
        catalog.commit({
          links: [
            auditLink('lost too'),
            {
              chain: 'audit',
              seal: () => {
                throw new Error('cannot be sealed');
              },
            },
          ],
        }),
        catalog.commit({ links: [auditLink('b')], entries: [entry('run/3')] }),
      ]);
      expect(outcomes.map((outcome) => outcome.status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
      expect(outcomes[2]).toMatchObject({ reason: { message: 'cannot be sealed' } });
      expect(await chainAuthors(catalog)).toEqual(['a', 'b']);
      expect((await wholeJournal(catalog)).map(({ seq }) => seq)).toEqual([1n, 2n, 3n, 4n]);
    });
  });

  describe('idempotency', () => {
    const record = { scope: 'ann/writeRows', key: 'k1', inputSha256: 'abc', answer: '{"rows":1}' };
    const atMs = (ms: number) => ({ ...record, expiresAtMs: ms });

    test('of many calls with one key one has its effect, and its answer is kept', async () => {
      const claim = (by: Catalog) => by.commit({ claims: [atMs(1_000_000_060_000)], entries: [entry('run/1')] });
      const outcomes = await Promise.allSettled([claim(catalog), claim(catalog), claim(other), claim(other)]);
      expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
      expect(outcomes.find((outcome) => outcome.status === 'rejected')).toMatchObject({
        reason: { code: 'CONFLICT', retryable: true },
      });
      expect(await catalog.headSeq()).toBe(1n);
      expect(await other.answer('ann/writeRows', 'k1')).toEqual({ inputSha256: 'abc', answer: '{"rows":1}' });
      expect(await other.answer('ben/writeRows', 'k1')).toBeNull();
      await other.commit({ claims: [{ ...atMs(1_000_000_060_000), scope: 'ben/writeRows' }] });
    });

    test('an expired key is free again, and is forgotten', async () => {
      await catalog.commit({ claims: [atMs(1_000_000_060_000)] });
      clock.advance(60_000_000n);
      expect(await catalog.answer('ann/writeRows', 'k1')).toBeNull();
      await catalog.commit({ claims: [{ ...atMs(1_000_000_120_000), answer: '{"rows":2}' }] });
      expect((await catalog.answer('ann/writeRows', 'k1'))?.answer).toBe('{"rows":2}');
      clock.advance(60_000_000n);
      await catalog.trim(0);
      expect(await catalog.answer('ann/writeRows', 'k1')).toBeNull();
    });
  });

  describe('leases', () => {
    test('one owner at a time; taking it again renews it', async () => {
      const fences = await Promise.all([
        catalog.acquireLease('run/1', 'a', 10_000),
        other.acquireLease('run/1', 'b', 10_000),
        catalog.acquireLease('run/2', 'a', 10_000),
      ]);
      const winner = fences[0] === null ? 'b' : 'a';
      const fence = fences[0] ?? fences[1];
      expect([fences[0], fences[1]].filter((held) => held === null)).toHaveLength(1);
      expect(fences[2]).not.toBeNull();
      clock.advance(9_000_000n);
      expect(await other.acquireLease('run/1', winner, 10_000)).toBe(fence);
      clock.advance(9_000_000n);
      expect(await catalog.acquireLease('run/1', 'c', 10_000)).toBeNull();
    });

    test('a lapsed lease goes to another under a higher number, and cannot be renewed', async () => {
      const first = (await catalog.acquireLease('run/1', 'a', 10_000)) ?? 0n;
      expect(await catalog.renewLease('run/1', 'a', first, 10_000)).toBe(true);
      clock.advance(10_000_000n);
      expect(await catalog.renewLease('run/1', 'a', first, 10_000)).toBe(false);
      await catalog.trim(0);
      const second = (await other.acquireLease('run/1', 'b', 10_000)) ?? 0n;
      expect(second).toBeGreaterThan(first);
      expect(await catalog.renewLease('run/1', 'a', first, 10_000)).toBe(false);
      await catalog.releaseLease('run/1', 'a', first);
      expect(await catalog.acquireLease('run/1', 'a', 10_000)).toBeNull();
      await other.releaseLease('run/1', 'b', second);
      expect(await catalog.acquireLease('run/1', 'a', 10_000)).toBeGreaterThan(second);
    });

    test('work under a lease that was lost is not recorded', async () => {
      const fence = (await catalog.acquireLease('run/1', 'a', 10_000)) ?? 0n;
      await catalog.commit({ fences: [{ lease: 'run/1', fence }], entries: [entry('run/1')] });
      clock.advance(10_000_000n);
      const commit = () => catalog.commit({ fences: [{ lease: 'run/1', fence }], entries: [entry('run/1')] });
      await expect(commit()).rejects.toMatchObject({
        code: 'CONFLICT',
        retryable: false,
        message: expect.stringMatching(/it lapsed/),
      });
      await other.acquireLease('run/1', 'b', 10_000);
      await expect(commit()).rejects.toMatchObject({
        code: 'CONFLICT',
        message: expect.stringMatching(/another owner took it over/),
      });
      expect(await catalog.headSeq()).toBe(1n);
    });
  });

  describe('listeners', () => {
    test("hear of this connection's commits before the committer does, and of others' soon", async () => {
      const heard: CommitEvent[] = [];
      const stop = catalog.onCommit((event) => heard.push(event));
      const pointers = [create('flights')];
      await catalog.commit({ pointers, entries: [entry('run/1')] });
      expect(heard).toEqual([{ pointers, headSeq: 1n }]);
      const told = new Promise<CommitEvent>((resolve) => void catalog.onCommit(resolve));
      await other.commit({ entries: [entry('run/2')] });
      expect(await told).toEqual({ pointers: [], headSeq: 2n });
      stop();
      await catalog.commit({ pointers: [swap('flights', 'm0', 'm1')] });
      expect(heard.some((event) => event.pointers.some(({ kind }) => kind === 'swap'))).toBe(false);
    });
  });

  describe('processes', () => {
    test('two processes that commit at once: every acknowledged commit is there, in one chain', async () => {
      await catalog.commit({ pointers: [create('counter', '0')] });
      const [left, right] = [committing(store.uri, 'left', 40), committing(store.uri, 'right', 40)];
      const acknowledged = await Promise.all([left.finished, right.finished]);
      expect(acknowledged.map((lines) => lines.length)).toEqual([40, 40]);
      expect((await catalog.load({ namespace: ['raw'], name: 'counter' }))?.metadataLocation).toBe('80');
      const authors = await chainAuthors(catalog);
      expect(authors.filter((by) => by.startsWith('left/'))).toEqual(Array.from({ length: 40 }, (_, made) => `left/${made}`));
      expect(authors).toHaveLength(80);
    });

    test('killed with -9 while committing: what was acknowledged is there, and nothing is there by half', async () => {
      await catalog.commit({ pointers: [create('counter', '0')] });
      let expected = 0;
      for (const [round, killAfter] of [1, 7, 30].entries()) {
        const child = committing(store.uri, `round-${round}`, 1_000_000, killAfter);
        const acknowledged = await child.finished;
        const journal = await wholeJournal(catalog);
        for (const line of acknowledged) {
          const [seq = '', made = ''] = line.split(' ');
          const found = journal.find((candidate) => candidate.seq === BigInt(seq));
          expect(found?.row).toBe(JSON.stringify({ name: `round-${round}`, made: Number(made) }));
        }
        const entries = journal.filter(({ subject }) => subject === `run/round-${round}`);
        expect(entries.length).toBeGreaterThanOrEqual(acknowledged.length);
        expected += entries.length;
        expect((await chainAuthors(catalog)).length).toBe(expected);
        expect((await catalog.load({ namespace: ['raw'], name: 'counter' }))?.metadataLocation).toBe(String(expected));
      }
      expect((await wholeJournal(catalog)).map(({ seq }) => seq)).toEqual(
        Array.from({ length: expected * 2 }, (_, at) => BigInt(at + 1)),
      );
    });
  });

  test('a random history of changes ends where a model of it ends', async () => {
    const name = fc.constantFrom('a', 'b', 'c');
    const version = fc.integer({ min: 0, max: 2 }).map((number) => `m${number}`);
    const pointer = fc.oneof(
      fc.record({ kind: fc.constant('create' as const), name, to: version }),
      fc.record({ kind: fc.constant('swap' as const), name, from: version, to: version }),
      fc.record({ kind: fc.constant('drop' as const), name, from: version }),
    );
    const commit = fc.record({ pointer, entries: fc.integer({ min: 0, max: 2 }), links: fc.integer({ min: 0, max: 2 }) });
    let histories = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(commit, { maxLength: 25 }), fc.boolean(), async (commits, together) => {
        histories += 1;
        const ns = `h${histories}`;
        const tables = new Map<string, string>();
        let seq = await catalog.headSeq();
        const links = (await catalog.chainHead('audit')).seq;
        let linked = links;
        const expected: boolean[] = [];
        const made = commits.map(({ pointer: change, entries, links: linkCount }) => {
          const found = tables.get(change.name);
          const fits = change.kind === 'create' ? found === undefined : found === change.from;
          expected.push(fits);
          if (fits && change.kind === 'drop') tables.delete(change.name);
          if (fits && change.kind !== 'drop') tables.set(change.name, change.to);
          if (fits) seq += BigInt(entries + linkCount);
          if (fits) linked += BigInt(linkCount);
          const { name: table, ...rest } = change;
          return {
            pointers: [{ ...rest, identifier: { namespace: [ns], name: table }, uuid: `${ns}-${table}` } as PointerChange],
            entries: Array.from({ length: entries }, () => entry(`run/${ns}`)),
            links: Array.from({ length: linkCount }, () => auditLink(ns)),
          };
        });
        const outcomes: boolean[] = [];
        const settle = async (change: CatalogChange) =>
          await catalog.commit(change).then(
            () => true,
            () => false,
          );
        if (together) outcomes.push(...(await Promise.all(made.map(settle))));
        else for (const change of made) outcomes.push(await settle(change));
        expect(outcomes).toEqual(expected);
        const left = await other.list({ namespace: [ns], limit: 10 });
        expect(new Map(left.map((table) => [table.identifier.name, table.metadataLocation]))).toEqual(
          new Map([...tables].toSorted()),
        );
        expect(await other.headSeq()).toBe(seq);
        expect((await other.chainHead('audit')).seq).toBe(linked);
      }),
      { numRuns: 60 },
    );
    await chainAuthors(catalog);
  });
}

async function pages(catalog: Catalog, namespace: readonly string[] | undefined): Promise<readonly string[]> {
  const printed: string[] = [];
  for (;;) {
    const after = printed.at(-1);
    const page = await catalog.list({
      limit: 2,
      ...(namespace === undefined ? {} : { namespace }),
      ...(after === undefined ? {} : { after }),
    });
    if (page.length === 0) return printed;
    printed.push(...page.map(({ identifier }) => printIdentifier(identifier)));
  }
}

/** A process that commits `count` times, or until it has acknowledged `killAfter` commits; gives back the acknowledgements. */
function committing(
  uri: string,
  name: string,
  count: number,
  killAfter?: number,
): { readonly finished: Promise<readonly string[]> } {
  const script = new URL('committing-process.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [script, uri, name, String(count)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const acknowledged: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    acknowledged.push(line);
    if (acknowledged.length === killAfter) child.kill('SIGKILL');
  });
  return { finished: once(child, 'close').then(() => acknowledged) };
}
