import { randomUUID } from 'node:crypto';
import type { Catalog, CatalogChange, PointerChange, ViewPointer } from '../catalog/catalog.ts';
import { type Clock, nowMs } from '../clock.ts';
import { IcecoreError } from '../errors.ts';
import { printIdentifier, type TableIdentifier } from '../iceberg/identifier.ts';
import type { Schema } from '../iceberg/schema.ts';
import type { ViewMetadata, ViewVersion } from '../iceberg/view.ts';
import { applyViewUpdates, checkViewRequirements } from '../iceberg/view-metadata-update.ts';
import type { ViewRequirement, ViewUpdate } from '../iceberg/view-update.ts';
import { commitAttemptsMax } from '../limits.ts';
import { pauseAfterAttempt } from '../tables/commit-pause.ts';
import { CommitTurns } from '../tables/commit-turns.ts';
import { requireReadableFile } from '../tables/foreign-files.ts';
import { newTableLocation } from '../tables/table-location.ts';
import type { Tables } from '../tables/tables.ts';
import type { View } from './view.ts';
import { viewMissing } from './view-error.ts';
import { ViewFiles } from './view-files.ts';
import { checkViewLocations } from './view-locations.ts';

export interface ViewsOptions {
  readonly catalog: Catalog;
  /** Whose storage and whose places views share. */
  readonly tables: Tables;
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

/** What is recorded of a change, committed with it. */
export type ViewRecord = (changed: {
  readonly uuid: string;
  readonly versionId: number | null;
}) => Pick<CatalogChange, 'links' | 'claims'>;

/** The views of a catalog: where they are found, read and changed. */
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

  /** Where it is, without reading its metadata. Throws NOT_FOUND. */
  async pointer(identifier: TableIdentifier): Promise<ViewPointer> {
    const pointer = await this.#options.catalog.loadView(identifier);
    if (pointer === null) throw viewMissing(identifier);
    return pointer;
  }

  /** Throws ALREADY_EXISTS (`exists` says what has the name), NOT_FOUND without the namespace, BAD_USER_INPUT, FORBIDDEN for its place. */
  async create(identifier: TableIdentifier, definition: ViewDefinition, record: ViewRecord): Promise<View> {
    const uuid = randomUUID();
    const metadata = this.#begin(identifier, uuid, definition);
    await checkViewLocations(this.#options.tables, identifier, metadata, null);
    const to = await this.#files.write(metadata, null);
    await this.#commitFile(
      to,
      [{ kind: 'create', identifier, uuid, to, requireNamespace: true }],
      record({ uuid, versionId: 1 }),
    );
    return { identifier, uuid, metadataLocation: to, metadata };
  }

  /** A view from a metadata file that is there already. Throws as `create`, and NOT_FOUND where the file is missing. */
  async register(identifier: TableIdentifier, metadataLocation: string, record: ViewRecord): Promise<View> {
    await requireReadableFile(this.#options.tables, metadataLocation);
    const metadata = await this.#files.readNamed(metadataLocation);
    const { viewUuid: uuid, currentVersionId: versionId } = metadata;
    await checkViewLocations(this.#options.tables, identifier, metadata, null);
    const pointer: PointerChange = { kind: 'create', identifier, uuid, to: metadataLocation, requireNamespace: true };
    await this.#commit([pointer], record({ uuid, versionId }));
    return { identifier, uuid, metadataLocation, metadata };
  }

  /**
   * Applies the updates to what the view is now; made again on the newer metadata where another commit came first. Throws NOT_FOUND,
   * CONFLICT where a requirement does not hold, BAD_USER_INPUT, FORBIDDEN for its new place.
   */
  async replace(
    identifier: TableIdentifier,
    requirements: readonly ViewRequirement[],
    updates: readonly ViewUpdate[],
    record: ViewRecord,
  ): Promise<View> {
    return await this.#turns.take([printIdentifier(identifier)], () =>
      untilWon(async () => {
        const base = await this.load(identifier);
        checkViewRequirements(base.metadata, requirements);
        const metadata = applyViewUpdates(base.metadata, updates, nowMs(this.#options.clock));
        if (metadata === base.metadata) return base;
        await checkViewLocations(this.#options.tables, identifier, metadata, base.metadata);
        const { uuid, metadataLocation: from } = base;
        const to = await this.#files.write(metadata, from);
        const recorded = record({ uuid, versionId: metadata.currentVersionId });
        await this.#commitFile(to, [{ kind: 'swap', identifier, uuid, from, to }], recorded);
        return { identifier, uuid, metadataLocation: to, metadata };
      }),
    );
  }

  /** Forgets the view; its files stay. Throws NOT_FOUND. */
  async drop(identifier: TableIdentifier, record: ViewRecord): Promise<void> {
    await untilWon(async () => {
      const pointer = await this.pointer(identifier);
      await this.#commit([dropOf(pointer)], record({ uuid: pointer.uuid, versionId: null }));
    });
  }

  /** Throws NOT_FOUND for the view or the new namespace, ALREADY_EXISTS where the new name is taken. */
  async rename(from: TableIdentifier, to: TableIdentifier, record: ViewRecord): Promise<void> {
    await untilWon(async () => {
      const pointer = await this.pointer(from);
      if (printIdentifier(from) === printIdentifier(to)) return;
      const { uuid, metadataLocation } = pointer;
      const create: PointerChange = { kind: 'create', identifier: to, uuid, to: metadataLocation, requireNamespace: true };
      await this.#commit([dropOf(pointer), create], record({ uuid, versionId: null }));
    });
  }

  #begin(identifier: TableIdentifier, uuid: string, { schema, version, properties, location }: ViewDefinition): ViewMetadata {
    const { clock, tables } = this.#options;
    return applyViewUpdates(
      null,
      [
        { action: 'assign-uuid', uuid },
        { action: 'set-location', location: location ?? newTableLocation(tables.warehouse, identifier, uuid) },
        { action: 'set-properties', updates: properties },
        { action: 'add-schema', schema },
        { action: 'add-view-version', version: { ...version, versionId: 1, schemaId: -1 } },
        { action: 'set-current-view-version', versionId: -1 },
      ],
      nowMs(clock),
    );
  }

  async #commit(views: readonly PointerChange[], recorded: ReturnType<ViewRecord>): Promise<void> {
    await this.#options.catalog.commit({ views, ...recorded });
  }

  /** The same after a metadata file was written, which is removed where it is certain that no pointer names it. */
  async #commitFile(location: string, views: readonly PointerChange[], recorded: ReturnType<ViewRecord>): Promise<void> {
    try {
      await this.#commit(views, recorded);
    } catch (error) {
      if (IcecoreError.is(error) && error.code !== 'INTERNAL' && error.code !== 'TIMEOUT') await this.#files.remove(location);
      throw error;
    }
  }
}

/** Runs what read the view and lost the race against another commit again, on what is there then. */
async function untilWon<Result>(work: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      // A key that another call has used is no race about the view.
      const isLostRace = IcecoreError.is(error, 'CONFLICT') && error.retryable && error.context.idempotencyKey === undefined;
      if (!isLostRace || attempt >= commitAttemptsMax) throw error;
    }
    await pauseAfterAttempt(attempt);
  }
}

function dropOf({ identifier, uuid, metadataLocation }: ViewPointer): PointerChange {
  return { kind: 'drop', identifier, uuid, from: metadataLocation };
}
