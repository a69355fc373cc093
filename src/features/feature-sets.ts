import type { Call, Page } from '../access/call.ts';
import { requireRole } from '../access/role.ts';
import { visiblePage } from '../access/visible-page.ts';
import type { Audit } from '../audit/audit.ts';
import { auditSubject } from '../audit/subject.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Clock } from '../clock.ts';
import { IcecoreError } from '../errors.ts';
import { parseIdentifier, printIdentifier } from '../iceberg/identifier.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { type Claim, once } from '../ledger/once.ts';
import { commitAttemptsMax } from '../limits.ts';
import type { Lineage } from '../lineage/lineage.ts';
import type { LineageEdgeDraft, LineageRef } from '../lineage/lineage-record.ts';
import { ofReadable } from '../tables/readable.ts';
import type { Table } from '../tables/table.ts';
import type { Tables } from '../tables/tables.ts';
import type { FeatureSet } from './feature-set.ts';
import { featureSetOf, featureSetRow, featureSetSubject, featureSetTable } from './feature-set-table.ts';
import { type FeatureRequest, freezeFeatures } from './freeze.ts';

export interface FeatureSetsOptions {
  readonly catalog: Catalog;
  readonly tables: Tables;
  readonly ledger: Ledger;
  readonly audit: Audit;
  readonly lineage: Lineage;
  readonly clock: Clock;
}

export interface NewFeatureSet {
  readonly name: string;
  readonly features: readonly FeatureRequest[];
}

/** The versions of feature sets: rows that are only ever added. A version shows where all of its feature tables may be read. */
export class FeatureSets {
  readonly #options: FeatureSetsOptions;

  constructor(options: FeatureSetsOptions) {
    this.#options = options;
  }

  /**
   * Freezes features as the next version of a set. The same content as the newest version gives that version back, since a version stands
   * for its content. Throws BAD_USER_INPUT, NOT_FOUND, FAILED_PRECONDITION, FORBIDDEN.
   */
  async createFeatureSet(call: Call, input: NewFeatureSet): Promise<FeatureSet> {
    requireRole(call.caller, 'scientist', 'create feature sets');
    checkSetName(input.name);
    const { catalog, clock } = this.#options;
    const keyed = { caller: call.caller, mutation: 'createFeatureSet', key: call.key, input: call.input };
    const { version } = await once({ catalog, clock }, keyed, (claim) => this.#create(call, input, claim));
    return await this.require(input.name, version);
  }

  /** The newest version where none is asked for; null where there is none. */
  async featureSet(name: string, version: number | null = null): Promise<FeatureSet | null> {
    const [newest] = await visiblePage(
      this.#options.tables.access,
      1,
      async (after: FeatureSet | null, limit) => {
        const rows = await this.#options.ledger.select(featureSetTable, {
          where: version === null ? { name } : { name, version },
          ...(after === null ? {} : { sql: { text: 'version < ?', args: [after.version] } }),
          orderBy: 'version DESC',
          limit,
        });
        return rows.map(featureSetOf);
      },
      (sets) => this.#visible(sets),
    );
    return newest ?? null;
  }

  /** As `featureSet`; throws NOT_FOUND. */
  async require(name: string, version: number | null = null): Promise<FeatureSet> {
    const set = await this.featureSet(name, version);
    if (set !== null) return set;
    const what = version === null ? `feature set "${name}"` : `version ${version} of a feature set "${name}"`;
    throw new IcecoreError('NOT_FOUND', `There is no ${what}. Create it with createFeatureSet.`, {
      context: { featureSet: name, version },
    });
  }

  /** The newest version of each set, in order of name. */
  async featureSets(page: Page): Promise<readonly FeatureSet[]> {
    return await visiblePage(
      this.#options.tables.access,
      page.first,
      async (last: FeatureSet | null, limit) => {
        const rows = await this.#options.ledger.select(featureSetTable, {
          sql: {
            text: 'name > ? AND version = (SELECT max(version) FROM "icecore.feature_sets" AS other WHERE other.name = "icecore.feature_sets".name)',
            args: [last?.name ?? page.after ?? ''],
          },
          orderBy: 'name',
          limit,
        });
        return rows.map(featureSetOf);
      },
      (sets) => this.#visible(sets),
    );
  }

  /** Versions that take a feature, in order of name and version; `after` is the pair that the last page ended with. */
  async withFeature(
    tableUuid: string,
    fieldId: number,
    page: { readonly first: number; readonly after: { readonly name: string; readonly version: number } | null },
  ): Promise<readonly FeatureSet[]> {
    return await visiblePage(
      this.#options.tables.access,
      page.first,
      async (last: FeatureSet | null, limit) => {
        const after = last ?? page.after;
        const rows = await this.#options.ledger.select(featureSetTable, {
          sql: {
            text:
              '(name, version) > (?, ?) AND EXISTS (SELECT 1 FROM json_each(features) WHERE ' +
              "json_extract(value, '$.table_uuid') = ? AND json_extract(value, '$.field_id') = ?)",
            args: [after?.name ?? '', after?.version ?? 0, tableUuid, fieldId],
          },
          orderBy: 'name, version',
          limit,
        });
        return rows.map(featureSetOf);
      },
      (sets) => this.#visible(sets),
    );
  }

  #visible(sets: readonly FeatureSet[]): Promise<readonly FeatureSet[]> {
    return ofReadable(this.#options.tables, sets, (set) =>
      set.tables.map(({ tableUuid, table }) => ({ tableUuid, tableName: table })),
    );
  }

  async #create(call: Call, input: NewFeatureSet, claim: Claim): Promise<{ readonly version: number }> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#createOnce(call, input, claim);
      } catch (error) {
        if (!IcecoreError.is(error, 'CONFLICT') || !error.retryable || attempt >= commitAttemptsMax) throw error;
      }
    }
  }

  async #createOnce(call: Call, input: NewFeatureSet, claim: Claim): Promise<{ readonly version: number }> {
    const { catalog, tables, ledger, audit, clock } = this.#options;
    const seq = await catalog.subjectSeq(featureSetSubject(input.name));
    const frozen = freezeFeatures(input.features, await this.#tablesOf(input.features));
    const newest = await this.featureSet(input.name);
    await this.#refuseUnseen(input.name, newest);
    const isSame = newest !== null && newest.hash === frozen.hash;
    const version = isSame ? newest.version : (newest?.version ?? 0) + 1;
    const record = claim({ version });
    if (isSame && record === null) return { version };
    const transaction = tables.transaction();
    if (record !== null) transaction.claim(record);
    if (!isSame) {
      const set: FeatureSet = {
        name: input.name,
        version,
        ...frozen,
        createdAtMicros: clock.nowMicros(),
        createdBy: call.caller.actor,
      };
      transaction.entry(ledger.draft(featureSetTable, featureSetRow(set)));
      for (const edge of this.#options.lineage.drafts(edgesOf(set), call.caller)) transaction.entry(edge);
      const subject = auditSubject({ kind: 'FEATURE_SET', uuid: set.name, version: String(version) });
      const features = set.features.map(({ table, feature, alias }) => ({ table, feature, alias }));
      const payload = { name: set.name, version, hash: set.hash, features };
      transaction.link(audit.link({ caller: call.caller, action: 'createFeatureSet', subject, outcome: 'SUCCEEDED', payload }));
      transaction.guard({ subject: featureSetSubject(set.name), seq });
    }
    await transaction.commit();
    return { version };
  }

  /** Versions are counted over all of them, so who does not see the newest cannot make the next. */
  async #refuseUnseen(name: string, seen: FeatureSet | null): Promise<void> {
    const newest = await this.#options.tables.access.asServer(() => this.featureSet(name));
    if (newest?.version === seen?.version) return;
    throw new IcecoreError('ALREADY_EXISTS', `The name "${name}" is taken. Give the feature set another one.`, {
      context: { featureSet: name },
    });
  }

  /** By the names under which they are asked for. Throws NOT_FOUND with names that may have been meant. */
  async #tablesOf(requests: readonly FeatureRequest[]): Promise<ReadonlyMap<string, Table>> {
    const names = [...new Set(requests.map((request) => request.table))];
    const identifiers = names.map(parseIdentifier);
    const loaded = await this.#options.tables.loadMany(identifiers);
    const tables = new Map<string, Table>();
    for (const [index, name] of names.entries()) {
      const identifier = identifiers[index];
      const table = loaded[index] ?? (identifier === undefined ? null : await this.#options.tables.load(identifier));
      if (table !== null) tables.set(name, table);
    }
    return tables;
  }
}

function edgesOf(set: FeatureSet): readonly LineageEdgeDraft[] {
  const to: LineageRef = { kind: 'FEATURE_SET', uuid: set.name, version: String(set.version), name: set.name };
  return set.features.map((ref) => ({
    from: {
      kind: 'FEATURE',
      uuid: `${ref.tableUuid}/${ref.fieldId}`,
      version: null,
      name: `${printIdentifier(parseIdentifier(ref.table))}.${ref.feature}`,
    },
    to,
    runId: null,
    columns: [{ from: ref.feature, to: ref.alias, transformation: null }],
  }));
}

/** Names of sets become parts of the names of tables and tags. */
export function checkSetName(name: string, what = 'A feature set'): void {
  if (/^[\p{L}_][\p{L}\p{N}_-]{0,99}$/u.test(name)) return;
  throw new IcecoreError(
    'BAD_USER_INPUT',
    `${what} cannot be called ${JSON.stringify(name)}: a name begins with a letter and has at most 100 letters, digits, underscores and hyphens.`,
  );
}
