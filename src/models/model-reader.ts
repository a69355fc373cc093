import { actorOf } from '../access/actor-row.ts';
import type { Caller } from '../access/caller.ts';
import { hasRole } from '../access/role.ts';
import { IcecoreError } from '../errors.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Model, ModelAlias, ModelAliasChange, ModelDecision, ModelVersion } from './model.ts';
import { aliasChangeOf, decisionKinds, decisionOf, modelEventTable } from './model-event-table.ts';
import { modelOf, modelTable } from './model-table.ts';
import { modelVersionOf, modelVersionTable } from './model-version-table.ts';

/** Exactly one member is set. */
export interface ModelVersionSelector {
  readonly number?: number | null;
  readonly alias?: string | null;
}

/** A place in a list and how much of it is wanted. Lists of models go by name, lists of versions by number, newest first. */
export interface Page<After> {
  readonly first: number;
  readonly after: After | null;
}

/** What is known of models, as of the last commit. */
export class ModelReader {
  readonly #ledger: Ledger;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  async model(name: string): Promise<Model | null> {
    const row = await this.#ledger.find(modelTable, { name });
    return row === null ? null : modelOf(row);
  }

  /** Throws NOT_FOUND. */
  async requireModel(name: string): Promise<Model> {
    const model = await this.model(name);
    if (model !== null) return model;
    throw new IcecoreError('NOT_FOUND', `There is no model "${name}". Register it with registerModel.`, {
      context: { model: name },
    });
  }

  /** In order of name. */
  async models(
    filter: { readonly owner?: string | null; readonly riskTier?: string | null },
    page: Page<string>,
  ): Promise<readonly Model[]> {
    const rows = await this.#ledger.select(modelTable, {
      where: {
        ...(typeof filter.owner === 'string' ? { owner: filter.owner } : {}),
        ...(typeof filter.riskTier === 'string' ? { risk_tier: filter.riskTier } : {}),
      },
      ...(page.after === null ? {} : { sql: { text: 'name > ?', args: [page.after] } }),
      orderBy: 'name',
      limit: page.first,
    });
    return rows.map(modelOf);
  }

  async version(model: string, version: number): Promise<ModelVersion | null> {
    const row = await this.#ledger.find(modelVersionTable, { model, version });
    return row === null ? null : modelVersionOf(row);
  }

  /** The version that the selector means, an alias as it stood at `atMicros` where that is given; null where there is none. */
  async select(model: string, selector: ModelVersionSelector, atMicros: bigint | null = null): Promise<ModelVersion | null> {
    if (typeof selector.number === 'number') return this.version(model, selector.number);
    const version = await this.aliasTarget(model, selector.alias ?? '', atMicros);
    return version === null ? null : this.version(model, version);
  }

  /** As `select`; throws NOT_FOUND, naming what is missing. */
  async require(model: string, selector: ModelVersionSelector): Promise<ModelVersion> {
    await this.requireModel(model);
    const version = await this.select(model, selector);
    if (version !== null) return version;
    const what = typeof selector.number === 'number' ? `version ${selector.number}` : `alias "${selector.alias}"`;
    throw new IcecoreError('NOT_FOUND', `Model "${model}" has no ${what}.`, { context: { model } });
  }

  /** Newest first; `after` is the version number that the last page ended with. */
  async versions(model: string, page: Page<number>): Promise<readonly ModelVersion[]> {
    const rows = await this.#ledger.select(modelVersionTable, {
      where: { model },
      ...(page.after === null ? {} : { sql: { text: 'version < ?', args: [page.after] } }),
      orderBy: 'version DESC',
      limit: page.first,
    });
    return rows.map(modelVersionOf);
  }

  /** Versions trained on a training set, by model and number; `after` is the pair that the last page ended with. */
  async trainedOn(
    trainingSet: { readonly name: string; readonly version: number },
    page: Page<{ readonly model: string; readonly version: number }>,
  ): Promise<readonly ModelVersion[]> {
    const rows = await this.#ledger.select(modelVersionTable, {
      where: { training_set: trainingSet.name, training_set_version: trainingSet.version },
      ...(page.after === null
        ? {}
        : { sql: { text: '(model, version) > (?, ?)', args: [page.after.model, page.after.version] } }),
      orderBy: 'model, version',
      limit: page.first,
    });
    return rows.map(modelVersionOf);
  }

  /** Versions whose training set was made with one of these feature sets, by model and number. */
  async ofFeatureSets(
    featureSets: readonly { readonly name: string; readonly version: number }[],
    page: Page<{ readonly model: string; readonly version: number }>,
  ): Promise<readonly ModelVersion[]> {
    const wanted = JSON.stringify(featureSets.map(({ name, version }) => [name, version]));
    const rows = await this.#ledger.select(modelVersionTable, {
      sql: {
        text:
          '(model, version) > (?, ?) AND EXISTS (SELECT 1 FROM json_each(?) AS wanted ' +
          "WHERE json_extract(wanted.value, '$[0]') = feature_set AND json_extract(wanted.value, '$[1]') = feature_set_version)",
        args: [page.after?.model ?? '', page.after?.version ?? 0, wanted],
      },
      orderBy: 'model, version',
      limit: page.first,
    });
    return rows.map(modelVersionOf);
  }

  /** Versions that wait for a decision and that this caller may decide on; none for who is no approver. Oldest model name first. */
  async pendingApprovals(
    caller: Caller,
    page: Page<{ readonly model: string; readonly version: number }>,
  ): Promise<readonly ModelVersion[]> {
    if (!hasRole(caller, 'approver')) return [];
    const rows = await this.#ledger.select(modelVersionTable, {
      where: { status: 'SUBMITTED' },
      sql: {
        text: '(model, version) > (?, ?) AND NOT EXISTS (SELECT 1 FROM json_each(authors) WHERE value = ?)',
        args: [page.after?.model ?? '', page.after?.version ?? 0, caller.actor.id],
      },
      orderBy: 'model, version',
      limit: page.first,
    });
    return rows.map(modelVersionOf);
  }

  /** Oldest first. */
  async decisions(model: string, version: number): Promise<readonly ModelDecision[]> {
    const rows = await this.#ledger.select(modelEventTable, { where: { model, version, kind: decisionKinds } });
    return rows.map(decisionOf);
  }

  /** The aliases that stand now, by name. */
  async aliases(model: string): Promise<readonly ModelAlias[]> {
    const owner = await this.requireModel(model);
    const rows = await this.#ledger.select(modelEventTable, { where: { model, kind: 'ALIAS' } });
    const newest = new Map(rows.map((row) => [row.alias ?? '', row]));
    return [...newest]
      .filter(([, row]) => row.to_version !== null)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, row]) => ({
        model,
        name,
        version: row.to_version,
        sinceMicros: row.at,
        setBy: actorOf(row.actor),
        protected: owner.protectedAliases.includes(name),
      }));
  }

  /** Newest first; `after` is how many were read already. */
  async aliasHistory(model: string, alias: string, page: Page<number>): Promise<readonly ModelAliasChange[]> {
    const rows = await this.#ledger.select(modelEventTable, {
      where: { model, alias, kind: 'ALIAS' },
      orderBy: 'journal_seq DESC',
      limit: (page.after ?? 0) + page.first,
    });
    return rows.slice(page.after ?? 0).map(aliasChangeOf);
  }

  /** The version an alias points at, now or as it stood at a moment; null for none. */
  async aliasTarget(model: string, alias: string, atMicros: bigint | null = null): Promise<number | null> {
    const [row] = await this.#ledger.select(modelEventTable, {
      where: { model, alias, kind: 'ALIAS' },
      ...(atMicros === null ? {} : { sql: { text: 'at <= ?', args: [atMicros] } }),
      orderBy: 'journal_seq DESC',
      limit: 1,
    });
    return row?.to_version ?? null;
  }
}
