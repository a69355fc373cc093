import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Call } from '../access/call.ts';
import { requireRole } from '../access/role.ts';
import type { Audit } from '../audit/audit.ts';
import { viewSubject } from '../audit/subject.ts';
import type { Catalog, PointerChange, ViewPointer } from '../catalog/catalog.ts';
import { type Clock, nowMs } from '../clock.ts';
import { IcecoreError } from '../errors.ts';
import { checkIdentifier, printIdentifier, type TableIdentifier } from '../iceberg/identifier.ts';
import type { Schema } from '../iceberg/schema.ts';
import type { ViewVersion } from '../iceberg/view.ts';
import { applyViewUpdates, checkViewRequirements } from '../iceberg/view-metadata-update.ts';
import type { ViewRequirement, ViewUpdate } from '../iceberg/view-update.ts';
import { ledgerNamespace } from '../ledger/ledger-identifier.ts';
import { type Claim, once } from '../ledger/once.ts';
import { commitAttemptsMax, commitPauseMsMax, commitPauseMsMin } from '../limits.ts';
import { CommitTurns } from '../tables/commit-turns.ts';
import { newTableLocation } from '../tables/table-location.ts';
import type { Tables } from '../tables/tables.ts';
import type { View } from './view.ts';
import { creationRefused, namespaceMissing, renameRefused, viewMissing } from './view-error.ts';
import { ViewFiles } from './view-files.ts';

export interface ViewsOptions {
  readonly catalog: Catalog;
  /** Whose storage and whose places views share. */
  readonly tables: Tables;
  readonly audit: Audit;
  readonly clock: Clock;
}

export interface ViewDefinition {
  readonly schema: Schema;
  /** Its version and schema ids are given anew: 1 and 0. */
  readonly version: ViewVersion;
  readonly properties: Readonly<Record<string, string>>;
  /** Below the warehouse where left out. */
  readonly location?: string;
}

/** What is recorded of a change beside the change itself. */
interface ViewRecord {
  readonly action: string;
  readonly subject: string;
  readonly payload: unknown;
}

/** The views of a catalog: where they are found, read and changed. Messages are the reference implementation's, which clients look for. */
export class Views {
  readonly #options: ViewsOptions;
  readonly #files: ViewFiles;
  readonly #turns = new CommitTurns();

  constructor(options: ViewsOptions) {
    this.#options = options;
    this.#files = new ViewFiles(options.tables.storage);
  }

  /** The view as it is now, or null where there is none of that name. */
  async find(identifier: TableIdentifier): Promise<View | null> {
    const pointer = await this.#options.catalog.loadView(identifier);
    return pointer === null ? null : { ...pointer, metadata: await this.#files.read(pointer.metadataLocation) };
  }

  /** The same. Throws NOT_FOUND. */
  async load(identifier: TableIdentifier): Promise<View> {
    const view = await this.find(identifier);
    if (view === null) throw viewMissing(identifier);
    return view;
  }

  /** Whether there is one, without reading its metadata. */
  async exists(identifier: TableIdentifier): Promise<boolean> {
    return (await this.#options.catalog.loadView(identifier)) !== null;
  }

  /** Those directly in the namespace, in order of the printed names, after `after`. Throws NOT_FOUND where there is no such namespace. */
  async list(options: {
    readonly namespace: readonly string[];
    readonly after?: string;
    readonly limit: number;
  }): Promise<readonly ViewPointer[]> {
    const { catalog } = this.#options;
    const found = await catalog.listViews(options);
    if (found.length === 0 && (await catalog.loadNamespace(options.namespace)) === null)
      throw namespaceMissing(options.namespace);
    return found;
  }

  /** Throws ALREADY_EXISTS, NOT_FOUND without the namespace, BAD_USER_INPUT, FORBIDDEN. */
  async create(call: Call, identifier: TableIdentifier, definition: ViewDefinition): Promise<View> {
    requireRole(call.caller, 'scientist', 'create views');
    checkName(identifier);
    const uuid = randomUUID();
    const location = definition.location ?? newTableLocation(this.#options.tables.warehouse, identifier, uuid);
    const metadata = applyViewUpdates(
      null,
      [
        { action: 'assign-uuid', uuid },
        { action: 'set-location', location },
        { action: 'set-properties', updates: definition.properties },
        { action: 'add-schema', schema: definition.schema },
        { action: 'add-view-version', version: { ...definition.version, versionId: 1, schemaId: -1 } },
        { action: 'set-current-view-version', versionId: -1 },
      ],
      nowMs(this.#options.clock),
    );
    await this.#once(call, 'createView', async (claim) => {
      const to = await this.#files.write(metadata, null);
      const record = { action: 'createView', subject: viewSubject(uuid, 1), payload: { name: printIdentifier(identifier) } };
      try {
        await this.#commit(call, [{ kind: 'create', identifier, uuid, to, requireNamespace: true }], record, claim);
      } catch (error) {
        await this.#takeBack(error, to);
        throw creationRefused(error, identifier);
      }
    });
    return await this.load(identifier);
  }

  /** A view from a metadata file that is there already. Throws as `create`, and NOT_FOUND where the file is missing. */
  async register(call: Call, identifier: TableIdentifier, metadataLocation: string): Promise<View> {
    requireRole(call.caller, 'scientist', 'register views');
    checkName(identifier);
    await this.#once(call, 'registerView', async (claim) => {
      const { viewUuid: uuid, currentVersionId } = await this.#files.read(metadataLocation);
      const payload = { name: printIdentifier(identifier), metadataLocation };
      const record = { action: 'registerView', subject: viewSubject(uuid, currentVersionId), payload };
      try {
        const pointer: PointerChange = { kind: 'create', identifier, uuid, to: metadataLocation, requireNamespace: true };
        await this.#commit(call, [pointer], record, claim);
      } catch (error) {
        throw creationRefused(error, identifier);
      }
    });
    return await this.load(identifier);
  }

  /**
   * Applies the updates to what the view is now; made again on the newer metadata where another commit came first. Throws NOT_FOUND,
   * CONFLICT where a requirement does not hold, BAD_USER_INPUT, FORBIDDEN.
   */
  async replace(
    call: Call,
    identifier: TableIdentifier,
    requirements: readonly ViewRequirement[],
    updates: readonly ViewUpdate[],
  ): Promise<View> {
    requireRole(call.caller, 'scientist', 'replace views');
    checkName(identifier);
    await this.#once(call, 'replaceView', (claim) =>
      this.#turns.take([printIdentifier(identifier)], () => this.#replaceInTurn(call, identifier, requirements, updates, claim)),
    );
    return await this.load(identifier);
  }

  /** Forgets the view; its files stay. Throws NOT_FOUND, FORBIDDEN. */
  async drop(call: Call, identifier: TableIdentifier): Promise<void> {
    requireRole(call.caller, 'admin', 'drop views');
    checkName(identifier);
    await this.#once(call, 'dropView', (claim) =>
      this.#repeated(async () => {
        const pointer = await this.#pointer(identifier);
        const record = {
          action: 'dropView',
          subject: viewSubject(pointer.uuid, null),
          payload: { name: printIdentifier(identifier) },
        };
        await this.#commit(call, [dropOf(pointer)], record, claim);
      }),
    );
  }

  /** Throws NOT_FOUND for the view or the new namespace, ALREADY_EXISTS where the new name is taken, BAD_USER_INPUT, FORBIDDEN. */
  async rename(call: Call, from: TableIdentifier, to: TableIdentifier): Promise<void> {
    requireRole(call.caller, 'scientist', 'rename views');
    checkName(from);
    checkName(to);
    await this.#once(call, 'renameView', (claim) =>
      this.#repeated(async () => {
        const pointer = await this.#pointer(from);
        if (printIdentifier(from) === printIdentifier(to)) return;
        const { uuid, metadataLocation } = pointer;
        const payload = { from: printIdentifier(from), to: printIdentifier(to) };
        const create: PointerChange = { kind: 'create', identifier: to, uuid, to: metadataLocation, requireNamespace: true };
        const record = { action: 'renameView', subject: viewSubject(uuid, null), payload };
        try {
          await this.#commit(call, [dropOf(pointer), create], record, claim);
        } catch (error) {
          throw renameRefused(error, from, to);
        }
      }),
    );
  }

  async #replaceInTurn(
    call: Call,
    identifier: TableIdentifier,
    requirements: readonly ViewRequirement[],
    updates: readonly ViewUpdate[],
    claim: Claim,
  ): Promise<void> {
    await this.#repeated(async () => {
      const base = await this.load(identifier);
      checkViewRequirements(base.metadata, requirements);
      const metadata = applyViewUpdates(base.metadata, updates, nowMs(this.#options.clock));
      if (metadata === base.metadata) return;
      const { uuid, metadataLocation: from } = base;
      const to = await this.#files.write(metadata, from);
      const payload = { name: printIdentifier(identifier), updates: updates.map(({ action }) => action) };
      const record = { action: 'replaceView', subject: viewSubject(uuid, metadata.currentVersionId), payload };
      try {
        await this.#commit(call, [{ kind: 'swap', identifier, uuid, from, to }], record, claim);
      } catch (error) {
        await this.#takeBack(error, to);
        throw error;
      }
    });
  }

  /** Runs what read the view and lost the race against another commit again, on what is there then. */
  async #repeated(work: () => Promise<void>): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work();
      } catch (error) {
        const isLostRace = IcecoreError.is(error, 'CONFLICT') && error.retryable;
        if (!isLostRace || attempt >= commitAttemptsMax) throw error;
      }
      const longest = Math.min(commitPauseMsMax, commitPauseMsMin * 2 ** (attempt - 1));
      await pause(longest * (0.5 + Math.random() / 2));
    }
  }

  async #pointer(identifier: TableIdentifier): Promise<ViewPointer> {
    const pointer = await this.#options.catalog.loadView(identifier);
    if (pointer === null) throw viewMissing(identifier);
    return pointer;
  }

  async #once(call: Call, mutation: string, effect: (claim: Claim) => Promise<void>): Promise<void> {
    const { caller, key, input } = call;
    await once(this.#options, { caller, mutation, key, input }, async (claim) => {
      await effect(claim);
      return {};
    });
  }

  /** The change with its audit entry and its claim on the idempotency key, all of it or nothing. */
  async #commit({ caller }: Call, views: readonly PointerChange[], record: ViewRecord, claim: Claim): Promise<void> {
    const { audit, catalog } = this.#options;
    const link = audit.link({ caller, ...record, outcome: 'SUCCEEDED' });
    const idempotency = claim({});
    await catalog.commit({ views, links: [link], ...(idempotency === null ? {} : { idempotency }) });
  }

  /** Removes the new metadata file where it is certain that no pointer names it. */
  async #takeBack(error: unknown, location: string): Promise<void> {
    if (IcecoreError.is(error) && error.code !== 'INTERNAL' && error.code !== 'TIMEOUT') await this.#files.remove(location);
  }
}

function dropOf({ identifier, uuid, metadataLocation }: ViewPointer): PointerChange {
  return { kind: 'drop', identifier, uuid, from: metadataLocation };
}

/** Throws BAD_USER_INPUT for what cannot name a view, FORBIDDEN in Icecore's own namespace. */
function checkName(identifier: TableIdentifier): void {
  checkIdentifier(identifier);
  if (identifier.namespace[0] !== ledgerNamespace) return;
  const view = printIdentifier(identifier);
  throw new IcecoreError('FORBIDDEN', `${view} is in Icecore's own namespace, which only Icecore writes. Use another one.`, {
    context: { view },
  });
}
