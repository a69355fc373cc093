import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Catalog } from '../../src/catalog/catalog.ts';
import { IcecoreError } from '../../src/errors.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { LedgerCodec } from '../../src/ledger/ledger-codec.ts';
import { LedgerIndex } from '../../src/ledger/ledger-index.ts';
import { LedgerBench } from './ledger-bench.ts';
import { type Note, note, noteLog, notes } from './notes-table.ts';

/** A catalog with some of its methods replaced. */
function overridden(catalog: Catalog, methods: Partial<Catalog>): Catalog {
  return new Proxy(catalog, {
    get(target, name) {
      const method: unknown = Reflect.get(methods, name) ?? Reflect.get(target, name);
      return typeof method === 'function' ? method.bind(target) : method;
    },
  });
}

describe('the ledger over the journal', () => {
  let bench: LedgerBench;
  beforeEach(async () => {
    bench = await LedgerBench.open();
  });
  afterEach(() => bench.close());

  const ids = async (ledger: Ledger): Promise<readonly string[]> => (await ledger.select(notes)).map((row) => row.id);

  test('a read sees what was committed before it, through whichever connection', async () => {
    const [mine, other] = [await bench.catalog(), await bench.catalog()];
    const ledger = await bench.journalLedger(mine, [notes]);
    await mine.commit({ entries: [ledger.draft(notes, note('a'))] });
    expect(await ids(ledger)).toEqual(['a']);
    await other.commit({ entries: [ledger.draft(notes, note('b'))] });
    expect(await ids(ledger)).toEqual(['a', 'b']);
  });

  test('reads that begin while another runs see the commits before them', async () => {
    const catalog = await bench.catalog();
    const ledger = await bench.journalLedger(catalog, [notes]);
    const seen = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        await catalog.commit({ entries: [ledger.draft(notes, note(`n${index}`))] });
        return (await ids(ledger)).includes(`n${index}`);
      }),
    );
    expect(seen).not.toContain(false);
  });

  test('a later row takes the place of the earlier in an upsert table, and stands beside it in an append table', async () => {
    const catalog = await bench.catalog();
    const ledger = await bench.journalLedger(catalog, [notes, noteLog]);
    for (const count of [1n, 2n, 3n]) {
      await catalog.commit({ entries: [notes, noteLog].map((table) => ledger.draft(table, note('a', { count }))) });
    }
    expect((await ledger.select(notes)).map((row) => row.count)).toEqual([3n]);
    expect((await ledger.select(noteLog)).map((row) => row.count)).toEqual([1n, 2n, 3n]);
    expect((await ledger.find(noteLog, { id: 'a' }))?.count).toBe(3n);
  });

  test('a table without a local index is read by SQL alone, and does not keep others from being read', async () => {
    const catalog = await bench.catalog();
    const unindexed = { ...noteLog, isIndexed: false };
    const ledger = await bench.journalLedger(catalog, [notes, unindexed]);
    await catalog.commit({ entries: [notes, unindexed].map((table) => ledger.draft(table, note('a'))) });
    expect(await ids(ledger)).toEqual(['a']);
    await expect(ledger.select(unindexed)).rejects.toThrow('it has no local index');
    await expect(ledger.count(unindexed)).rejects.toThrow('it has no local index');
    const recorded = await Array.fromAsync(ledger.recorded(unindexed));
    expect(recorded.flat().map(({ row }) => row.id)).toEqual(['a']);
  });

  test('conditions, lists, order and limits', async () => {
    const catalog = await bench.catalog();
    const ledger = await bench.journalLedger(catalog, [notes]);
    const rows = [
      note('a', { at: 3n, count: 2n ** 62n }),
      note('b', { at: 1n, topic: 'snow' }),
      note('c', { at: 2n, weight: 0.5 }),
    ];
    await catalog.commit({ entries: rows.map((row) => ledger.draft(notes, row)) });
    const found = async (query: Parameters<typeof ledger.select<Note>>[1]) =>
      (await ledger.select(notes, query)).map((row) => row.id).join('');
    expect(await found({ where: { topic: 'ice' } })).toBe('ac');
    expect(await found({ where: { id: ['c', 'b', 'x'] } })).toBe('bc');
    expect(await found({ where: { count: [2n ** 62n, 7n] } })).toBe('a');
    expect(await found({ where: { weight: null } })).toBe('ab');
    expect(await found({ where: { done: false, topic: 'snow' } })).toBe('b');
    expect(await found({ orderBy: 'at DESC', limit: 2 })).toBe('ac');
    expect(await found({ sql: { text: 'at > ? OR topic = ?', args: [2n, 'snow'] } })).toBe('ab');
    expect(await ledger.count(notes, { where: { topic: 'ice' } })).toBe(2n);
  });

  test('an index that is missing, damaged or another catalog’s is made again', async () => {
    const catalog = await bench.catalog();
    const first = await bench.journalLedger(catalog, [notes]);
    await catalog.commit({ entries: [first.draft(notes, note('a'))] });
    expect(await ids(first)).toEqual(['a']);
    await writeFile(join(bench.directory, 'damaged-ledger.sqlite'), 'x');
    const damaged = join(bench.directory, 'damaged');
    await bench.journalLedger(catalog, [notes], 'damaged');
    await writeFile(join(damaged, 'ledger.sqlite'), Buffer.alloc(8192, 7));
    expect(await ids(await bench.journalLedger(catalog, [notes], 'damaged'))).toEqual(['a']);
    expect(await ids(await bench.journalLedger(catalog, [notes, noteLog], 'damaged'))).toEqual(['a']);
  });

  test('an index that another process has brought further meanwhile is not taken for one of an older catalog', async () => {
    const catalog = await bench.catalog();
    const other = await bench.journalLedger(catalog, [notes]);
    const seen: number[] = [];
    let overtaken = false;
    const overtaking = overridden(catalog, {
      headSeq: async () => {
        const head = await catalog.headSeq();
        if (overtaken) {
          await catalog.commit({ entries: [other.draft(notes, note('b'))] });
          await other.refresh();
        }
        return head;
      },
      journalAfter: (seq, limit) => {
        seen.push(other.selectNow(notes).length);
        return catalog.journalAfter(seq, limit);
      },
    });
    const ledger = await bench.journalLedger(overtaking, [notes]);
    await catalog.commit({ entries: [ledger.draft(notes, note('a'))] });
    await other.refresh();
    overtaken = true;
    await ledger.refresh();
    expect(seen).not.toContain(0);
    expect(other.selectNow(notes).map((row) => row.id)).toEqual(['a', 'b']);
  });

  test('a guard refuses what rests on an older state', async () => {
    const catalog = await bench.catalog();
    const ledger = await bench.journalLedger(catalog, [notes]);
    await catalog.commit({ entries: [ledger.draft(notes, note('a'))] });
    const seq = await catalog.subjectSeq('note/a');
    const change = { entries: [ledger.draft(notes, note('a', { done: true }))], guards: [{ subject: 'note/a', seq }] };
    await catalog.commit(change);
    await expect(catalog.commit(change)).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(await ledger.count(notes)).toBe(1n);
  });

  test('rows that do not fit are refused before they are committed', async () => {
    const ledger = await bench.journalLedger(await bench.catalog(), [notes]);
    const wrong: readonly Record<string, unknown>[] = [
      { id: null },
      { count: 5 },
      { count: 2n ** 63n },
      { done: 'yes' },
      { marks: [{ name: 'x', value: 1n, more: 1 }] },
      { other: 1 },
    ];
    for (const fields of wrong) expect(() => ledger.draft(notes, { ...note('a'), ...fields } as Note)).toThrow(IcecoreError);
    expect(() => ledger.draft(noteLog, note('a'))).toThrow('icecore.note_log');
  });
});

test('a row is the same after the journal and after the index', () => {
  const codec = new LedgerCodec(notes);
  const long = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
  const text = fc.string({ unit: 'grapheme' });
  const row = fc.record({
    id: text,
    topic: text,
    at: long,
    weight: fc.option(fc.double(), { nil: null }),
    done: fc.boolean(),
    count: long,
    marks: fc.array(fc.record({ name: text, value: fc.option(long, { nil: null }) })),
    tags: fc.option(fc.dictionary(text, text, { noNullPrototype: true }), { nil: null }),
  });
  const index = LedgerIndex.open(':memory:', new Map([[notes.name, codec]]), 'this test');
  fc.assert(
    fc.property(row, (given) => {
      const expected = { ...given, weight: plusZero(given.weight) };
      const journaled = codec.fromJournal(codec.toJournal(given));
      expect(journaled).toEqual(expected);
      index.clear();
      index.apply(new Map([[notes.name, [{ seq: 1n, row: journaled }]]]), 1n);
      expect(index.select(notes.name, {}).map((cells) => codec.fromIndex(cells))).toEqual([expected]);
    }),
  );
  index.close();
});

/** JSON has one zero. */
function plusZero(value: number | null): number | null {
  return value === 0 ? 0 : value;
}
