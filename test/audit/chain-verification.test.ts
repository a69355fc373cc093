import { readFile } from 'node:fs/promises';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AuditRow, linkHash, sealFact } from '../../src/audit/audit-entry.ts';
import { verifyChain } from '../../src/audit/chain-verification.ts';
import { parseCheckpoint, printCheckpoint } from '../../src/audit/checkpoint.ts';
import { SigningKey } from '../../src/audit/signing-key.ts';
import { chainOf, checkpointOf, facts } from './chain.ts';

const key = SigningKey.ephemeral();
const anchored = (rows: readonly AuditRow[], ...seqs: readonly number[]) => ({
  name: 'anchor',
  checkpoints: seqs.flatMap((seq) => {
    const row = rows[seq - 1];
    return row === undefined ? [] : [checkpointOf(key, row)];
  }),
  publicKeys: [key.publicKey],
});
/** What somebody who can write the table but not the anchor would do: change it, and make every hash anew. */
const resealed = (rows: readonly AuditRow[]): readonly AuditRow[] => {
  const made: AuditRow[] = [];
  for (const row of rows) {
    const previous = made.at(-1);
    const unsealed = { ...row, seq: BigInt(made.length + 1), previous_hash: previous?.hash ?? '0'.repeat(64) };
    made.push({ ...unsealed, hash: linkHash(unsealed) });
  }
  return made;
};

describe('the audit chain', () => {
  test('gives the published vectors', async () => {
    const vectors = JSON.parse(await readFile(new URL('./chain-vectors.json', import.meta.url), 'utf8')) as readonly Record<
      string,
      string
    >[];
    let previous = { seq: 0n, hash: '0'.repeat(64) };
    const rows = facts.map((fact) => {
      const row = sealFact(fact, previous);
      previous = row;
      return row;
    });
    expect(rows.map(({ seq, at, ...rest }) => ({ seq: seq.toString(), at: at.toString(), ...rest }))).toEqual(vectors);
    expect((await verifyChain(rows)).consistent).toBe(true);
  });

  test('alone proves that it is consistent in itself; with a checkpoint, that it is unchanged up to there', async () => {
    const rows = chainOf(10);
    expect(await verifyChain(rows)).toEqual({
      consistent: true,
      headSeq: 10n,
      verifiedThroughSeq: null,
      anchor: null,
      firstFault: null,
    });
    expect(await verifyChain(rows, anchored(rows, 3, 7))).toEqual({
      consistent: true,
      headSeq: 10n,
      verifiedThroughSeq: 7n,
      anchor: 'anchor',
      firstFault: null,
    });
    expect(await verifyChain([])).toMatchObject({ consistent: true, headSeq: 0n });
  });

  test('holds without its personal data: names and payloads may be erased', async () => {
    const rows = chainOf(5).map((row) => ({ ...row, actor_name: null, payload: null }));
    expect((await verifyChain(rows, anchored(rows, 5))).verifiedThroughSeq).toBe(5n);
  });

  const fields = [
    'at',
    'actor_id',
    'actor_kind',
    'action',
    'subject',
    'outcome',
    'payload',
    'payload_sha256',
    'previous_hash',
    'hash',
  ] as const;

  test('a change of any field, a removal, an insertion, a repetition and a swap are found at their place', async () => {
    const rows = chainOf(12);
    const place = fc.integer({ min: 0, max: 11 });
    const change = (row: AuditRow, field: (typeof fields)[number]): AuditRow =>
      field === 'at'
        ? { ...row, at: row.at + 1n }
        : { ...row, [field]: (row[field] ?? '').replace(/.$/, (end) => (end === 'e' ? 'd' : 'e')) };
    const tampered = fc.oneof(
      fc.record({ kind: fc.constant('change' as const), at: place, field: fc.constantFrom(...fields) }),
      fc.record({
        kind: fc.constantFrom('remove' as const, 'repeat' as const, 'swap' as const, 'insert' as const),
        at: fc.integer({ min: 0, max: 10 }),
      }),
    );
    await fc.assert(
      fc.asyncProperty(tampered, async (tamper) => {
        const copy = [...rows];
        const row = rows[tamper.at];
        const next = rows[tamper.at + 1];
        if (row === undefined) return;
        if (tamper.kind === 'change') copy[tamper.at] = change(row, tamper.field);
        if (tamper.kind === 'remove') copy.splice(tamper.at, 1);
        if (tamper.kind === 'repeat') copy.splice(tamper.at, 0, row);
        if (tamper.kind === 'insert') copy.splice(tamper.at + 1, 0, { ...row, action: 'forged' });
        if (tamper.kind === 'swap' && next !== undefined) copy.splice(tamper.at, 2, next, row);
        const found = await verifyChain(copy);
        expect(found.consistent).toBe(false);
        expect(found.firstFault).not.toBeNull();
        // Nothing before the place is blamed.
        const blamed = Number(/Entry (\d+)/.exec(found.firstFault ?? '')?.[1]);
        expect(blamed).toBeGreaterThanOrEqual(tamper.at + 1);
        expect(blamed).toBeLessThanOrEqual(tamper.at + 2);
      }),
    );
  });

  test('whoever makes all hashes anew is found by a checkpoint, and only by one', async () => {
    const rows = chainOf(12);
    const forgeries: Readonly<Record<string, readonly AuditRow[]>> = {
      changed: resealed(rows.map((row) => (row.seq === 5n ? { ...row, outcome: 'FAILED' } : row))),
      removed: resealed(rows.filter((row) => row.seq !== 5n)),
      inserted: resealed([...rows.slice(0, 4), { ...chainOf(1)[0], action: 'forged' } as AuditRow, ...rows.slice(4)]),
      reordered: resealed([...rows.slice(0, 4), ...rows.slice(5, 6), ...rows.slice(4, 5), ...rows.slice(6)]),
    };
    for (const forged of Object.values(forgeries)) {
      expect((await verifyChain(forged)).consistent).toBe(true);
      const found = await verifyChain(forged, anchored(rows, 2, 8));
      expect(found.consistent).toBe(false);
      expect(found.verifiedThroughSeq).toBe(2n);
      expect(found.firstFault).toContain('Entry 8');
      // After the last checkpoint nothing is claimed.
      expect((await verifyChain(forged, anchored(rows, 2))).verifiedThroughSeq).toBe(2n);
    }
  });

  test('a chain that was cut is consistent in itself, and found by a checkpoint or by the catalog', async () => {
    const rows = chainOf(12);
    const cut = rows.slice(0, 9);
    expect((await verifyChain(cut)).consistent).toBe(true);
    expect((await verifyChain(cut, anchored(rows, 4, 11))).firstFault).toContain('cut');
    const head = { seq: 12n, hash: rows[11]?.hash ?? '' };
    expect((await verifyChain(cut, null, head)).firstFault).toContain('cut');
    expect((await verifyChain(rows, null, head)).consistent).toBe(true);
    expect((await verifyChain(resealed(rows.map((row) => ({ ...row, at: 0n }))), null, head)).consistent).toBe(false);
  });

  test('checkpoints that are damaged, signed by another key or that contradict each other are faults', async () => {
    const rows = chainOf(3);
    const [first] = anchored(rows, 1).checkpoints;
    if (first === undefined) throw new Error('no checkpoint');
    const other = SigningKey.ephemeral();
    const verify = (checkpoints: readonly (typeof first | null)[]) => verifyChain(rows, { ...anchored(rows), checkpoints });
    expect((await verify([null])).firstFault).toContain('not readable');
    expect((await verify([{ ...first, hash: first.hash.replace(/.$/, 'x') }])).firstFault).toContain('not signed');
    expect((await verify([checkpointOf(other, rows[0] as AuditRow)])).firstFault).toContain('not signed');
    expect((await verify([first, checkpointOf(key, { ...(rows[1] as AuditRow), seq: 1n })])).firstFault).toContain('contradicts');
    expect(parseCheckpoint(printCheckpoint(first))).toEqual(first);
    for (const line of ['', '{}', '{"seq":1}', 'x']) expect(parseCheckpoint(line)).toBeNull();
  });
});
