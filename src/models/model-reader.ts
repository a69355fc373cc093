import { actorOf } from '../access/actor-row.ts';
import type { Caller } from '../access/caller.ts';
import { hasRole } from '../access/role.ts';
import { visiblePage } from '../access/visible-page.ts';
import { IcecoreError } from '../errors.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { LedgerQuery } from '../ledger/ledger-query.ts';
import { ofReadable } from '../tables/readable.ts';
import type { Tables } from '../tables/tables.ts';
import type { Model, ModelAlias, ModelAliasChange, ModelDecision, ModelVersion } from './model.ts';
import { aliasChangeOf, decisionKinds, decisionOf, modelEventTable } from './model-event-table.ts';
import { modelOf, modelTable } from './model-table.ts';
import { type ModelVersionRow, modelVersionOf, modelVersionTable } from './model-version-table.ts';

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

/**
 * What is known of models, as of the last commit. A version shows to whoever may read the table it was trained on, a model to whoever sees any
 * of its versions, or where it has none yet.
 */
export class ModelReader {
  readonly #ledger: Ledger;
  readonly #tables: Tables;

  constructor(ledger: Ledger, tables: Tables) {
    this.#ledger = ledger;
    this.#tables = tables;
  }

  async model(name: string): Promise<Model | null> {
    const row = await this.#ledger.find(modelTable, { name });
    const [visible] = row === null ? [] : await this.#visibleModels([modelOf(row)]);
    return visible ?? null;
  }

  /** Whether there is a model of that name, whoever sees it. */
  async isTaken(name: string): Promise<boolean> {
    return (await this.#ledger.find(modelTable, { name })) !== null;
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
    return await visiblePage(
      this.#tables.access,
      page.first,
      async (last: Model | null, limit) => {
        const after = last?.name ?? page.after;
        const rows = await this.#ledger.select(modelTable, {
          where: {
            ...(typeof filter.owner === 'string' ? { owner: filter.owner } : {}),
            ...(typeof filter.riskTier === 'string' ? { risk_tier: filter.riskTier } : {}),
          },
          ...(after === null ? {} : { sql: { text: 'name > ?', args: [after] } }),
          orderBy: 'name',
          limit,
        });
        return rows.map(modelOf);
      },
      (models) => this.#visibleModels(models),
    );
  }

  async version(model: string, version: number): Promise<ModelVersion | null> {
    const row = await this.#ledger.find(modelVersionTable, { model, version });
    const [visible] = row === null ? [] : await this.visibleVersions([modelVersionOf(row)]);
    return visible ?? null;
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
    return await this.#versionPage(page.first, (last) => {
      const after = last?.version ?? page.after;
      return {
        where: { model },
        ...(after === null ? {} : { sql: { text: 'version < ?', args: [after] } }),
        orderBy: 'version DESC',
      };
    });
  }

  /** Versions trained on a training set, by model and number; `after` is the pair that the last page ended with. */
  async trainedOn(
    trainingSet: { readonly name: string; readonly version: number },
    page: Page<{ readonly model: string; readonly version: number }>,
  ): Promise<readonly ModelVersion[]> {
    return await this.#versionPage(page.first, (last) => {
      const after = last ?? page.after;
      return {
        where: { training_set: trainingSet.name, training_set_version: trainingSet.version },
        ...(after === null ? {} : { sql: { text: '(model, version) > (?, ?)', args: [after.model, after.version] } }),
        orderBy: 'model, version',
      };
    });
  }

  /** Versions whose training set was made with one of these feature sets, by model and number. */
  async ofFeatureSets(
    featureSets: readonly { readonly name: string; readonly version: number }[],
    page: Page<{ readonly model: string; readonly version: number }>,
  ): Promise<readonly ModelVersion[]> {
    const wanted = JSON.stringify(featureSets.map(({ name, version }) => [name, version]));
    return await this.#versionPage(page.first, (last) => {
      const after = last ?? page.after;
      return {
        sql: {
          text:
            '(model, version) > (?, ?) AND EXISTS (SELECT 1 FROM json_each(?) AS wanted ' +
            "WHERE json_extract(wanted.value, '$[0]') = feature_set AND json_extract(wanted.value, '$[1]') = feature_set_version)",
          args: [after?.model ?? '', after?.version ?? 0, wanted],
        },
        orderBy: 'model, version',
      };
    });
  }

  /** Versions that wait for a decision and that this caller may decide on; none for who is no approver. Oldest model name first. */
  async pendingApprovals(
    caller: Caller,
    page: Page<{ readonly model: string; readonly version: number }>,
  ): Promise<readonly ModelVersion[]> {
    if (!hasRole(caller, 'approver')) return [];
    return await this.#versionPage(page.first, (last) => {
      const after = last ?? page.after;
      return {
        where: { status: 'SUBMITTED' },
        sql: {
          text: '(model, version) > (?, ?) AND NOT EXISTS (SELECT 1 FROM json_each(authors) WHERE value = ?)',
          args: [after?.model ?? '', after?.version ?? 0, caller.actor.id],
        },
        orderBy: 'model, version',
      };
    });
  }

  /** Those of the versions that the caller at hand may see. */
  visibleVersions(versions: readonly ModelVersion[]): Promise<readonly ModelVersion[]> {
    return ofReadable(this.#tables, versions, ({ trainingTable }) => [trainingTable]);
  }

  #versionPage(
    first: number,
    query: (last: ModelVersion | null) => Omit<LedgerQuery<ModelVersionRow>, 'limit'>,
  ): Promise<readonly ModelVersion[]> {
    return visiblePage(
      this.#tables.access,
      first,
      async (last: ModelVersion | null, limit) => {
        const rows = await this.#ledger.select(modelVersionTable, { ...query(last), limit });
        return rows.map(modelVersionOf);
      },
      (versions) => this.visibleVersions(versions),
    );
  }

  /** Those of a model's version numbers that the caller at hand may see. */
  async #seenNumbers(model: string, numbers: readonly number[]): Promise<ReadonlySet<number>> {
    if (this.#tables.access.permissions.unrestricted || numbers.length === 0) return new Set(numbers);
    const rows = await this.#ledger.select(modelVersionTable, { where: { model, version: [...new Set(numbers)] } });
    const visible = await this.visibleVersions(rows.map(modelVersionOf));
    return new Set(visible.map(({ version }) => version));
  }

  async #visibleModels(models: readonly Model[]): Promise<readonly Model[]> {
    const { access } = this.#tables;
    if (access.permissions.unrestricted) return models;
    const seen: Model[] = [];
    for (const model of models) {
      const page = { first: 1, after: null };
      const [visible] = await this.versions(model.name, page);
      if (visible !== undefined || (await access.asServer(() => this.versions(model.name, page))).length === 0) seen.push(model);
    }
    return seen;
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
    const seen = await this.#seenNumbers(
      model,
      [...newest.values()].flatMap((row) => row.to_version ?? []),
    );
    return [...newest]
      .filter(([, row]) => row.to_version !== null && seen.has(row.to_version))
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
    const from = page.after ?? 0;
    const isWhole = this.#tables.access.permissions.unrestricted;
    const rows = await this.#ledger.select(modelEventTable, {
      where: { model, alias, kind: 'ALIAS' },
      orderBy: 'journal_seq DESC',
      ...(isWhole ? { limit: from + page.first } : {}),
    });
    const changes = rows.map(aliasChangeOf);
    const numbers = (change: ModelAliasChange): readonly number[] => [change.from, change.to].filter((number) => number !== null);
    const seen = await this.#seenNumbers(model, changes.flatMap(numbers));
    return changes.filter((change) => numbers(change).every((number) => seen.has(number))).slice(from, from + page.first);
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
