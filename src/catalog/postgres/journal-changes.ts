import type { CatalogChange, ChainHead, JournalDraft } from '../catalog.ts';
import { subjectChanged } from '../refusals.ts';
import { integer, text } from '../row.ts';
import { chainHeadOf, hashBeforeFirst } from './journal.ts';
import { StagedRows } from './staged-rows.ts';
import type { Writer } from './writer.ts';

interface Numbered extends JournalDraft {
  readonly seq: bigint;
}

interface Flush {
  readonly table: string;
  readonly throughSeq: bigint;
  readonly atMs: number;
}

/** What a batch does to the journal and its chains: sequence numbers without a gap, in the order in which the changes are kept. */
export class JournalChanges {
  readonly #subjects = new StagedRows<bigint>();
  readonly #chains = new StagedRows<ChainHead>();
  readonly #entries: Numbered[] = [];
  readonly #flushes: Flush[] = [];
  #tried: Numbered[] = [];
  #triedFlushes: Flush[] = [];
  #headSeq = 0n;

  /** Reads the subjects that are guarded and the heads of the chains that get links. */
  async read(writer: Writer, changes: readonly CatalogChange[]): Promise<void> {
    const subjects = new Set(changes.flatMap((change) => (change.guards ?? []).map(({ subject }) => subject)));
    const chains = new Set(changes.flatMap((change) => (change.links ?? []).map(({ chain }) => chain)));
    const bySubject = 'SELECT subject, seq FROM icecore.journal_heads WHERE subject = ANY($1)';
    const byChain = 'SELECT chain, seq, hash FROM icecore.chain_heads WHERE chain = ANY($1)';
    const [heads, links] = await Promise.all([
      subjects.size === 0 ? null : writer.query(bySubject, [[...subjects]]),
      chains.size === 0 ? null : writer.query(byChain, [[...chains]]),
    ]);
    for (const row of heads?.rows ?? []) this.#subjects.found(text(row, 'subject'), integer(row, 'seq'));
    for (const row of links?.rows ?? []) this.#chains.found(text(row, 'chain'), chainHeadOf(row));
  }

  /** The number that the next entry follows. */
  begin(headSeq: bigint): void {
    this.#headSeq = headSeq;
  }

  /** The number of the last entry that was kept or is tried. */
  get headSeq(): bigint {
    return this.#headSeq + BigInt(this.#tried.length);
  }

  /** Throws CONFLICT where somebody was faster. */
  check(change: CatalogChange): void {
    for (const guard of change.guards ?? []) {
      const found = this.#subjects.get(guard.subject) ?? 0n;
      if (found !== guard.seq) throw subjectChanged(guard, found);
    }
  }

  /** Appends the entries, then seals the links one after the other. The sequence numbers in that order. */
  append(change: CatalogChange, nowMs: number): readonly bigint[] {
    const seqs = (change.entries ?? []).map((draft) => this.#append(draft));
    for (const link of change.links ?? []) {
      const previous = this.#chains.get(link.chain) ?? { seq: 0n, hash: hashBeforeFirst };
      const sealed = link.seal(previous);
      seqs.push(this.#append(sealed.entry));
      this.#chains.put(link.chain, { seq: previous.seq + 1n, hash: sealed.hash });
    }
    for (const { table, throughSeq } of change.flushed ?? []) {
      // Not beyond what there is now: later entries of the batch may not be taken for flushed.
      this.#triedFlushes.push({ table, throughSeq: throughSeq < this.headSeq ? throughSeq : this.headSeq, atMs: nowMs });
    }
    return seqs;
  }

  keep(): void {
    this.#headSeq += BigInt(this.#tried.length);
    this.#entries.push(...this.#tried.splice(0));
    this.#flushes.push(...this.#triedFlushes.splice(0));
    this.#subjects.keep();
    this.#chains.keep();
  }

  discard(): void {
    this.#tried = [];
    this.#triedFlushes = [];
    this.#subjects.discard();
    this.#chains.discard();
  }

  write(writer: Writer): readonly Promise<unknown>[] {
    const sent: Promise<unknown>[] = [];
    const entries = this.#entries;
    if (entries.length > 0) {
      const sql = `INSERT INTO icecore.journal (seq, table_name, subject, body)
        SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[])`;
      const [seqs, tables] = [entries.map(({ seq }) => seq), entries.map(({ table }) => table)];
      sent.push(writer.query(sql, [seqs, tables, entries.map(({ subject }) => subject), entries.map(({ row }) => row)]));
    }
    const subjects = [...this.#subjects.changes()];
    if (subjects.length > 0) {
      const sql = `INSERT INTO icecore.journal_heads SELECT * FROM unnest($1::text[], $2::bigint[])
        ON CONFLICT (subject) DO UPDATE SET seq = excluded.seq`;
      sent.push(writer.query(sql, [subjects.map(({ key }) => key), subjects.map(({ after }) => after)]));
    }
    const chains = [...this.#chains.changes()];
    if (chains.length > 0) {
      const sql = `INSERT INTO icecore.chain_heads SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[])
        ON CONFLICT (chain) DO UPDATE SET seq = excluded.seq, hash = excluded.hash`;
      const heads = chains.map(({ after }) => after);
      sent.push(
        writer.query(sql, [chains.map(({ key }) => key), heads.map((head) => head?.seq), heads.map((head) => head?.hash)]),
      );
    }
    for (const { table, throughSeq, atMs } of this.#flushes) {
      const sql = 'UPDATE icecore.journal SET flushed_at_ms = $1 WHERE table_name = $2 AND seq <= $3 AND flushed_at_ms IS NULL';
      sent.push(writer.query(sql, [atMs, table, throughSeq]));
    }
    return sent;
  }

  #append(draft: JournalDraft): bigint {
    const seq = this.headSeq + 1n;
    this.#tried.push({ ...draft, seq });
    this.#subjects.put(draft.subject, seq);
    return seq;
  }
}
