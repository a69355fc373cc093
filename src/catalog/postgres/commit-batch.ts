import type { CatalogChange, CatalogCommit } from '../catalog.ts';
import { KeyClaims } from './answers.ts';
import { JournalChanges } from './journal-changes.ts';
import { HeldLeases } from './leases.ts';
import { NamespaceChanges } from './namespace-changes.ts';
import { PointerChanges } from './pointer-changes.ts';
import type { Counters } from './write-transaction.ts';
import type { Writer } from './writer.ts';

/** What came of one change: `headSeq` is the journal's head after it. */
export type Outcome =
  | { readonly kept: true; readonly commit: CatalogCommit; readonly headSeq: bigint }
  | { readonly kept: false; readonly error: unknown };

/**
 * Many changes in one transaction, each with an answer of its own: all that they look at is read at once under the write lock, they are
 * tried in memory one upon the other, and what they come to is written at once. So a batch takes as many statements as one change,
 * and a change that is refused leaves no trace.
 */
export class CommitBatch {
  readonly #changes: readonly CatalogChange[];
  readonly #namespaces = new NamespaceChanges();
  readonly #pointers = new PointerChanges();
  readonly #journal = new JournalChanges();
  readonly #claims = new KeyClaims();
  readonly #leases = new HeldLeases();

  constructor(changes: readonly CatalogChange[]) {
    this.#changes = changes;
  }

  /** Reads and decides: the outcomes in the order of the changes. `nowMs` is asked once the lock is had. */
  async decide(writer: Writer, counters: Promise<Counters>, nowMs: () => number): Promise<readonly Outcome[]> {
    const parts = [this.#leases, this.#claims, this.#journal, this.#namespaces, this.#pointers];
    const reads = parts.map((part) => part.read(writer, this.#changes));
    await Promise.allSettled(reads);
    this.#journal.begin((await counters).headSeq);
    await Promise.all(reads);
    const now = nowMs();
    return this.#changes.map((change) => this.#try(change, now));
  }

  /** Sends what the kept changes come to. */
  write(writer: Writer): readonly Promise<unknown>[] {
    return [this.#claims, this.#namespaces, this.#pointers, this.#journal].flatMap((part) => part.write(writer));
  }

  get headSeq(): bigint {
    return this.#journal.headSeq;
  }

  #try(change: CatalogChange, nowMs: number): Outcome {
    const staged = [this.#claims, this.#namespaces, this.#pointers, this.#journal];
    try {
      this.#leases.check(change.fences ?? [], nowMs);
      for (const claim of change.claims ?? []) this.#claims.claim(claim, nowMs);
      this.#journal.check(change);
      this.#namespaces.apply(change.namespaces ?? [], this.#pointers);
      this.#pointers.apply({ table: change.pointers ?? [], view: change.views ?? [] }, this.#namespaces);
      const seqs = this.#journal.append(change, nowMs);
      for (const part of staged) part.keep();
      return { kept: true, commit: { seqs }, headSeq: this.#journal.headSeq };
    } catch (error) {
      for (const part of staged) part.discard();
      return { kept: false, error };
    }
  }
}
