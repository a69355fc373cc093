import type { Call, Page } from '../access/call.ts';
import { requireRole } from '../access/role.ts';
import type { Audit } from '../audit/audit.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Clock } from '../clock.ts';
import { IcecoreError } from '../errors.ts';
import { checkIdentifier, parseIdentifier, printIdentifier, type TableIdentifier } from '../iceberg/identifier.ts';
import { currentSchema, type TableMetadata } from '../iceberg/metadata.ts';
import type { PartitionInput } from '../iceberg/partition-spec.ts';
import type { Schema } from '../iceberg/schema.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { ledgerNamespace } from '../ledger/ledger-identifier.ts';
import { type Claim, once } from '../ledger/once.ts';
import { tablesListedAtOnce } from '../limits.ts';
import type { Lineage } from '../lineage/lineage.ts';
import type { DuckDb } from '../sql/duckdb.ts';
import { parseSelect } from '../sql/select.ts';
import type { ColumnDefinition } from '../tables/new-table.ts';
import type { Table } from '../tables/table.ts';
import type { TableTransaction } from '../tables/table-transaction.ts';
import type { Tables } from '../tables/tables.ts';
import { requireCreate, requireWrite } from '../tables/write-access.ts';
import { changedDeclaration, type FeatureTableChange, tagsOf } from './declaration-change.ts';
import { resolveRoles } from './declare.ts';
import { declareFeatures } from './declare-action.ts';
import { checkDefinition, definitionEngine } from './definition.ts';
import { type FeatureDeclaration, isFeatureTable, parseDeclaration } from './feature-declaration.ts';
import { FeatureSets } from './feature-sets.ts';
import type { Feature, FeatureTable } from './feature-table.ts';
import { featuresOf, featureTableOf } from './feature-table-of.ts';

export interface FeaturesOptions {
  readonly catalog: Catalog;
  readonly tables: Tables;
  readonly ledger: Ledger;
  readonly audit: Audit;
  readonly lineage: Lineage;
  readonly duckdb: DuckDb;
  readonly clock: Clock;
}

export interface NewFeatureTable {
  readonly name: string;
  /** Given, the table is created; else it must exist. */
  readonly columns?: readonly ColumnDefinition[] | null;
  readonly partitionBy?: readonly PartitionInput[] | null;
  readonly entityKeys: readonly string[];
  readonly eventTime: string;
  readonly knownTime?: string | null;
  readonly sequence?: string | null;
  readonly timeToLiveMicros?: bigint | null;
  readonly description?: string | null;
  readonly owner?: string | null;
  readonly tags?: unknown;
  readonly definition?: string | null;
}

/** Feature tables and feature sets: what is declared, what is frozen. */
export class Features {
  readonly sets: FeatureSets;
  readonly #options: FeaturesOptions;

  constructor(options: FeaturesOptions) {
    this.#options = options;
    this.sets = new FeatureSets(options);
  }

  /**
   * Declares a table's entity keys and event time, creating the table where columns are given. Declaring a table again replaces what was
   * declared. Throws BAD_USER_INPUT naming the fault, NOT_FOUND, ALREADY_EXISTS, FORBIDDEN.
   */
  async createFeatureTable(call: Call, input: NewFeatureTable): Promise<FeatureTable> {
    requireRole(call.caller, 'scientist', 'declare feature tables');
    const identifier = userIdentifier(input.name);
    if (input.columns != null) requireCreate(this.#options.tables.access, identifier, 'create the feature table');
    else await requireWrite(this.#options.tables, identifier, 'declare the feature table');
    const name = printIdentifier(identifier);
    if (input.timeToLiveMicros != null && input.timeToLiveMicros <= 0n) {
      throw new IcecoreError('BAD_USER_INPUT', `The time to live of ${name} must be longer than nothing.`);
    }
    const definitionReads = await this.#tablesReadBy(input.definition);
    const declare = (schema: Schema): FeatureDeclaration => ({
      ...resolveRoles(name, schema, {
        entityKeys: input.entityKeys,
        eventTime: input.eventTime,
        knownTime: input.knownTime ?? null,
        sequence: input.sequence ?? null,
      }),
      timeToLiveMicros: input.timeToLiveMicros ?? null,
      description: input.description ?? null,
      owner: input.owner ?? null,
      tags: tagsOf(input.tags),
      featureDescriptions: {},
      definition: input.definition ?? null,
      definitionReads,
      definitionEngine: input.definition == null ? null : definitionEngine,
    });
    await this.#once(call, 'createFeatureTable', async (claim) => {
      const transaction = this.#options.tables.transaction();
      const { schema, uuid } = await this.#declareIn(transaction, identifier, input, declare);
      if (input.definition != null) await this.#checkDefinition(name, schema, input.definition);
      await this.#commit(transaction, call, 'createFeatureTable', uuid, { name, entityKeys: input.entityKeys }, claim({ name }));
      return { name };
    });
    return await this.#require(identifier);
  }

  /** Changes what may change without touching a frozen set's meaning. Throws NOT_FOUND, BAD_USER_INPUT, FORBIDDEN. */
  async updateFeatureTable(call: Call, input: FeatureTableChange): Promise<FeatureTable> {
    requireRole(call.caller, 'scientist', 'change feature tables');
    const identifier = userIdentifier(input.name);
    await requireWrite(this.#options.tables, identifier, 'change the feature table');
    const name = printIdentifier(identifier);
    await this.#once(call, 'updateFeatureTable', async (claim) => {
      const table = await this.#options.tables.load(identifier);
      const definitionReads = await this.#tablesReadBy(input.definition);
      const changed = (metadata: TableMetadata) => changedDeclaration(name, metadata, { ...input, definitionReads });
      changed(table.metadata);
      if (input.definition != null) await this.#checkDefinition(name, currentSchema(table.metadata), input.definition);
      const transaction = this.#options.tables.transaction();
      transaction.change(table, declareFeatures(changed));
      await this.#commit(transaction, call, 'updateFeatureTable', table.uuid, { name }, claim({ name }));
      return { name };
    });
    return await this.#require(identifier);
  }

  /** Null where there is no such table, or it declares nothing. */
  async featureTable(name: string): Promise<FeatureTable | null> {
    const table = await this.#options.tables.find(parseIdentifier(name));
    return table === null ? null : featureTableOf(table);
  }

  async featureTableByUuid(uuid: string): Promise<FeatureTable | null> {
    const table = await this.#options.tables.findByUuid(uuid);
    return table === null ? null : featureTableOf(table);
  }

  /** In order of name. */
  async featureTables(page: Page): Promise<readonly FeatureTable[]> {
    const found: FeatureTable[] = [];
    for await (const table of this.declared(page.after)) {
      const featureTable = featureTableOf(table);
      if (featureTable !== null) found.push(featureTable);
      if (found.length >= page.first) break;
    }
    return found;
  }

  /** Every feature table after a name, in order of name, as Iceberg tables: what a search goes through. */
  async *declared(after: string | null = null): AsyncGenerator<Table> {
    for (let from = after; ; ) {
      const tables = await this.#options.tables.list({ limit: tablesListedAtOnce, ...(from === null ? {} : { after: from }) });
      yield* tables.filter((table) => isFeatureTable(table.metadata));
      const last = tables.at(-1);
      if (last === undefined || tables.length < tablesListedAtOnce) return;
      from = printIdentifier(last.identifier);
    }
  }

  /** Null where the table or the column is gone, or it is a key, a time or the sequence. */
  async feature(tableUuid: string, fieldId: number): Promise<Feature | null> {
    return (await this.featuresOf(tableUuid)).find((feature) => feature.fieldId === fieldId) ?? null;
  }

  /** All features of a table, in the order of its columns; none where it is gone. */
  async featuresOf(tableUuid: string): Promise<readonly Feature[]> {
    const table = await this.#options.tables.findByUuid(tableUuid);
    return table === null ? [] : featuresOf(table);
  }

  async #declareIn(
    transaction: TableTransaction,
    identifier: TableIdentifier,
    input: NewFeatureTable,
    declare: (schema: Schema) => FeatureDeclaration,
  ): Promise<{ readonly schema: Schema; readonly uuid: string }> {
    if (input.columns == null) {
      const table = await this.#options.tables.load(identifier);
      declare(currentSchema(table.metadata));
      transaction.change(
        table,
        declareFeatures((metadata) => ({
          ...declare(currentSchema(metadata)),
          featureDescriptions: parseDeclaration(metadata)?.featureDescriptions ?? {},
        })),
      );
      return { schema: currentSchema(table.metadata), uuid: table.uuid };
    }
    const draft = transaction.create(identifier, { columns: input.columns, partitionBy: input.partitionBy ?? [] });
    const schema = currentSchema(draft.metadata);
    declare(schema);
    transaction.change(
      draft,
      declareFeatures((metadata) => declare(currentSchema(metadata))),
    );
    return { schema, uuid: draft.uuid };
  }

  /** By name, each once: a definition shows to whoever may read all of them. */
  async #tablesReadBy(definition: string | null | undefined): Promise<readonly string[]> {
    if (definition == null) return [];
    const { references } = await parseSelect(this.#options.duckdb, definition);
    return [...new Set(references.map(({ identifier }) => printIdentifier(identifier)))].sort();
  }

  async #checkDefinition(name: string, schema: Schema, definition: string): Promise<void> {
    await checkDefinition(this.#options.duckdb, this.#options.tables, name, schema, definition);
  }

  async #commit(
    transaction: TableTransaction,
    call: Call,
    action: string,
    tableUuid: string,
    payload: Readonly<Record<string, unknown>>,
    claim: ReturnType<Claim>,
  ): Promise<void> {
    transaction.link(
      this.#options.audit.link({ caller: call.caller, action, subject: `table/${tableUuid}`, outcome: 'SUCCEEDED', payload }),
    );
    if (claim !== null) transaction.claim(claim);
    await transaction.commit();
  }

  #once<Answer>(call: Call, mutation: string, effect: (claim: Claim) => Promise<Answer>): Promise<Answer> {
    return once(this.#options, { caller: call.caller, mutation, key: call.key, input: call.input }, effect);
  }

  async #require(identifier: TableIdentifier): Promise<FeatureTable> {
    const featureTable = featureTableOf(await this.#options.tables.load(identifier));
    if (featureTable !== null) return featureTable;
    throw new IcecoreError('NOT_FOUND', `${printIdentifier(identifier)} is no longer a feature table.`);
  }
}

/** The identifier of a table that callers may declare. Throws BAD_USER_INPUT, FORBIDDEN for Icecore's own. */
function userIdentifier(name: string): TableIdentifier {
  const identifier = checkIdentifier(parseIdentifier(name));
  if (identifier.namespace[0] === ledgerNamespace) {
    throw new IcecoreError(
      'FORBIDDEN',
      `${name} is in icecore, where only Icecore writes. Use another namespace, such as features.`,
    );
  }
  return identifier;
}
