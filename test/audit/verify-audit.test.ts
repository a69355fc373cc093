import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AuditRow, linkHash } from '../../src/audit/audit-entry.ts';
import { verifyChain } from '../../src/audit/chain-verification.ts';
import { type Checkpoint, printCheckpoint } from '../../src/audit/checkpoint.ts';
import { SigningKey } from '../../src/audit/signing-key.ts';
import { printJson } from '../../src/iceberg/json.ts';
import { describeWith } from '../environment/tool.ts';
import { chainOf, checkpointOf } from './chain.ts';
import vectors from './chain-vectors.json' with { type: 'json' };

const script = new URL('../../scripts/verify_audit.py', import.meta.url).pathname;

describeWith(['python3'], 'the independent verifier in Python', () => {
  const key = SigningKey.ephemeral();
  const chain = chainOf(40);
  let directory = '';

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'icecore-verify-'));
    await writeFile(join(directory, 'key.pub'), key.publicKey);
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  /** What Python says of an export, in the words of the server's own verification. */
  const python = async (rows: readonly object[], points: readonly string[] | null = null) => {
    const [exported, anchor] = [join(directory, 'export.jsonl'), join(directory, 'anchor.jsonl')];
    await writeFile(exported, rows.map((row) => `${printJson(row)}\n`).join(''));
    await writeFile(anchor, (points ?? []).map((line) => `${line}\n`).join(''));
    const checkpoints = points === null ? [] : ['--checkpoints', anchor, '--key', join(directory, 'key.pub')];
    const ran = spawnSync('python3', [script, exported, '--json', ...checkpoints], { encoding: 'utf8' });
    expect(ran.stderr).toBe('');
    const said = JSON.parse(ran.stdout) as { readonly consistent: boolean };
    expect(ran.status).toBe(said.consistent ? 0 : 1);
    return said;
  };
  const server = async (rows: readonly AuditRow[], points: readonly Checkpoint[] | null = null) => {
    const name = join(directory, 'anchor.jsonl');
    const anchored = points === null ? null : { name, checkpoints: points, publicKeys: [key.publicKey] };
    const ordered = rows.toSorted((one, two) => Number(one.seq - two.seq));
    const { headSeq, verifiedThroughSeq, ...rest } = await verifyChain(ordered, anchored);
    return { ...rest, headSeq: String(headSeq), verifiedThroughSeq: verifiedThroughSeq?.toString() ?? null };
  };
  const at = (seq: number): AuditRow => {
    const row = chain[seq - 1];
    if (row === undefined) throw new Error(`The chain has no entry ${seq}.`);
    return row;
  };

  test('agrees with the published vectors, times written in several ways', async () => {
    expect(await python(vectors)).toMatchObject({ consistent: true, headSeq: '3', verifiedThroughSeq: null });
    const [iso, duckdb, local] = ['2023-11-14T22:13:20Z', '2023-11-14 22:13:20.000001+00', '2023-11-15T00:13:21.0+02:00'];
    const rewritten = vectors.map((row, index) => ({ ...row, seq: Number(row.seq), at: [iso, duckdb, local][index] }));
    expect(await python(rewritten.toReversed())).toMatchObject({ consistent: true, headSeq: '3' });
  });

  test.each<[string, readonly AuditRow[]]>([
    ['nothing', chain],
    ['an actor changed', chain.with(9, { ...at(10), actor_id: 'ceo' })],
    ['a payload changed', chain.with(9, { ...at(10), payload: '{}' })],
    ['a payload erased', chain.with(9, { ...at(10), payload: null })],
    ['an entry removed', chain.toSpliced(9, 1)],
    ['an entry repeated', [...chain, at(10)]],
    ['two entries swapped', chain.with(9, { ...at(11), seq: 10n }).with(10, { ...at(10), seq: 11n })],
    ['the end cut', chain.slice(0, 25)],
    ['one entry made anew', chain.with(9, resealed({ ...at(10), action: 'other' }))],
  ])('says what the server says: %s', async (_what, rows) => {
    const points = [checkpointOf(key, at(5)), checkpointOf(key, at(30))];
    expect(await python(rows)).toEqual(await server(rows));
    expect(await python(rows, points.map(printCheckpoint))).toEqual(await server(rows, points));
  });

  test('a whole chain made anew is consistent in itself, and not with its checkpoints', async () => {
    const forged: AuditRow[] = [];
    for (const row of chain) {
      const previous_hash = forged.at(-1)?.hash ?? '0'.repeat(64);
      forged.push(resealed({ ...row, previous_hash, actor_id: 'ceo' }));
    }
    const points = [checkpointOf(key, at(30))];
    expect(await python(forged)).toMatchObject({ consistent: true });
    expect(await python(forged, points.map(printCheckpoint))).toEqual(await server(forged, points));
    expect((await server(forged, points)).consistent).toBe(false);
  });

  test('a checkpoint that is damaged, of another key, or contradicts another', async () => {
    const [good, foreign] = [checkpointOf(key, at(5)), checkpointOf(SigningKey.ephemeral(), at(5))];
    const moved = { ...good, seq: 6n };
    const other = checkpointOf(key, resealed({ ...at(5), action: 'other' }));
    for (const points of [[foreign], [moved], [{ ...good, signature: 'AAAA' }], [good, other]]) {
      const said = await server(chain, points);
      expect(said.consistent).toBe(false);
      expect(await python(chain, points.map(printCheckpoint))).toEqual(said);
    }
    expect(await python(chain, ['{"chain":"audit"}'])).toMatchObject({ firstFault: expect.stringContaining('is not readable') });
    expect(await python(chain, [printCheckpoint(good)])).toMatchObject({ consistent: true, verifiedThroughSeq: '5' });
  });
});

function resealed(row: AuditRow): AuditRow {
  return { ...row, hash: linkHash(row) };
}
