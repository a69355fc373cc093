import type { Catalog } from '../catalog/catalog.ts';
import { CommitWakes } from '../catalog/commit-wakes.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { ModelVersion } from './model.ts';
import type { ModelReader } from './model-reader.ts';
import { modelVersionOf, modelVersionTable } from './model-version-table.ts';

/** Model versions as they are registered, submitted and decided on. */
export class ModelFeed {
  readonly #catalog: Catalog;
  readonly #ledger: Ledger;
  readonly #read: Pick<ModelReader, 'visibleVersions'>;

  constructor({
    catalog,
    ledger,
    read,
  }: {
    readonly catalog: Catalog;
    readonly ledger: Ledger;
    readonly read: Pick<ModelReader, 'visibleVersions'>;
  }) {
    this.#catalog = catalog;
    this.#ledger = ledger;
    this.#read = read;
  }

  /** From now on, each as it is by the time that it is read: a slow reader gets the latest state alone. */
  async *versions(model: string | null, signal: AbortSignal): AsyncGenerator<ModelVersion> {
    const wakes = new CommitWakes(this.#catalog, signal);
    try {
      for (let seen = await this.#catalog.headSeq(); !signal.aborted; ) {
        await this.#ledger.refresh();
        const seenNow = this.#ledger.appliedSeq;
        const rows = this.#ledger.selectNow(modelVersionTable, {
          ...(model === null ? {} : { where: { model } }),
          sql: { text: 'journal_seq > ? AND journal_seq <= ?', args: [seen, seenNow] },
        });
        yield* await this.#read.visibleVersions(rows.map(modelVersionOf));
        seen = seenNow;
        await wakes.next();
      }
    } finally {
      wakes.stop();
    }
  }
}
