import type { Call } from '../access/call.ts';
import type { Audit } from '../audit/audit.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Clock } from '../clock.ts';
import { IcecoreError } from '../errors.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { type Claim, once } from '../ledger/once.ts';
import { commitAttemptsMax } from '../limits.ts';
import { CommitTurns } from '../tables/commit-turns.ts';
import type { TableTransaction } from '../tables/table-transaction.ts';
import type { Tables } from '../tables/tables.ts';
import type { Model, ModelVersion } from './model.ts';
import { type ModelEventRow, modelEventTable } from './model-event-table.ts';
import { modelRow, modelSubject, modelTable } from './model-table.ts';
import { modelVersionRow, modelVersionTable } from './model-version-table.ts';

/** What a step leaves behind, all in one commit. */
export interface ModelChange<Answer> {
  /** What a repetition under the same idempotency key is told: ids and numbers. */
  readonly answer: Answer;
  readonly model?: Model;
  readonly version?: ModelVersion;
  readonly event?: ModelEventRow;
  readonly audit: { readonly subject: string; readonly payload: unknown };
  /** Changes of tables that belong to it, such as pins. */
  readonly prepare?: (transaction: TableTransaction) => void;
}

export interface ModelChangesOptions {
  readonly catalog: Catalog;
  readonly tables: Tables;
  readonly ledger: Ledger;
  readonly audit: Audit;
  readonly clock: Clock;
}

/** Commits steps in the life of models: one after the other for each model, each decided on what is true when it is committed. */
export class ModelChanges {
  readonly #options: ModelChangesOptions;
  readonly #turns = new CommitTurns();

  constructor(options: ModelChangesOptions) {
    this.#options = options;
  }

  /**
   * Makes the change that `decide` decides on, once for each idempotency key, and gives its answer. `decide` reads and checks; where
   * another server's change of the same model comes first, it is asked again. Throws what it throws, and CONFLICT where it lost too often.
   */
  async make<Answer>(call: Call, action: string, model: string, decide: () => Promise<ModelChange<Answer>>): Promise<Answer> {
    const { caller, key, input } = call;
    return await once(this.#options, { caller, mutation: action, key, input }, (claim) =>
      this.#turns.take([model], () => this.#commitFresh(call, action, model, claim, decide)),
    );
  }

  async #commitFresh<Answer>(
    call: Call,
    action: string,
    model: string,
    claim: Claim,
    decide: () => Promise<ModelChange<Answer>>,
  ): Promise<Answer> {
    for (let left = commitAttemptsMax; ; left--) {
      const seq = await this.#options.catalog.subjectSeq(modelSubject(model));
      const change = await decide();
      try {
        await this.#commit(call, action, model, seq, claim, change);
        return change.answer;
      } catch (error) {
        if (left <= 1 || !IcecoreError.is(error, 'CONFLICT') || !error.retryable) throw error;
      }
    }
  }

  async #commit(
    call: Call,
    action: string,
    model: string,
    seq: bigint,
    claim: Claim,
    change: ModelChange<unknown>,
  ): Promise<void> {
    const { audit, ledger, tables } = this.#options;
    const transaction = tables.transaction();
    if (change.model !== undefined) transaction.entry(ledger.draft(modelTable, modelRow(change.model)));
    if (change.version !== undefined) transaction.entry(ledger.draft(modelVersionTable, modelVersionRow(change.version)));
    if (change.event !== undefined) transaction.entry(ledger.draft(modelEventTable, change.event));
    transaction.link(audit.link({ caller: call.caller, action, outcome: 'SUCCEEDED', ...change.audit }));
    transaction.guard({ subject: modelSubject(model), seq });
    const record = claim(change.answer);
    if (record !== null) transaction.claim(record);
    change.prepare?.(transaction);
    await transaction.commit();
  }
}
