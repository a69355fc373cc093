import type { PointerChange } from '../catalog/catalog.ts';
import { nowMs } from '../clock.ts';
import type { TableIdentifier } from '../iceberg/identifier.ts';
import type { TableMetadata } from '../iceberg/metadata.ts';
import { printMetadata } from '../iceberg/metadata-json.ts';
import { applyUpdates, withPreviousMetadata } from '../iceberg/metadata-update.ts';
import { checkRequirements } from '../iceberg/requirement.ts';
import { refreshedPins } from './pin.ts';
import type { Table } from './table.ts';
import type { ActionContext, TableAction } from './table-action.ts';
import { nextMetadataLocation } from './table-location.ts';
import type { Tables } from './tables.ts';

/** One attempt at the change of one table: what it would become, and the files that were written for that. */
export class TableAttempt {
  readonly identifier: TableIdentifier;
  readonly base: Table | null;
  /** Locations of metadata files, manifest lists and manifests of this attempt. */
  readonly written: string[] = [];
  readonly #tables: Tables;
  readonly #created: TableMetadata | undefined;
  readonly #attempt: number;
  #pointer: PointerChange | null = null;
  #result: Table | null = null;

  constructor(
    tables: Tables,
    identifier: TableIdentifier,
    base: Table | null,
    created: TableMetadata | undefined,
    attempt: number,
  ) {
    this.#tables = tables;
    this.identifier = identifier;
    this.base = base;
    this.#created = created;
    this.#attempt = attempt;
  }

  /** What the catalog is to do; null where the actions changed nothing. */
  get pointer(): PointerChange | null {
    return this.#pointer;
  }

  /** The table as it is once the catalog has done it; null for one that is dropped. */
  get result(): Table | null {
    return this.#result;
  }

  drop(): void {
    if (this.base === null) return;
    const { uuid, metadataLocation } = this.base;
    this.#pointer = { kind: 'drop', identifier: this.identifier, uuid, from: metadataLocation };
  }

  /** Applies the actions in order and writes the new metadata file, durable before any pointer names it. */
  async apply(actions: readonly TableAction[]): Promise<void> {
    const start = this.base?.metadata ?? this.#created;
    if (start === undefined) return;
    let metadata = this.#withPins(start);
    for (const action of actions) {
      const context = this.#context(metadata);
      const { updates, requirements } = await action.apply(metadata, context);
      checkRequirements(metadata, requirements);
      metadata = this.#withPins(applyUpdates(metadata, updates, context.nowMs));
    }
    if (this.base !== null && metadata === start) {
      this.#result = this.base;
      return;
    }
    if (this.base !== null) metadata = withPreviousMetadata(metadata, this.base.metadataLocation, start.lastUpdatedMs);
    await this.#write(metadata);
  }

  /** After the commit: removes metadata files that the table's properties want removed. */
  async settle(): Promise<void> {
    const { base } = this;
    const now = this.#result?.metadata;
    if (base === null || now === undefined || now.properties['write.metadata.delete-after-commit.enabled'] !== 'true') return;
    const kept = new Set(now.metadataLog.map((entry) => entry.metadataFile));
    const gone = base.metadata.metadataLog.map((entry) => entry.metadataFile).filter((file) => !kept.has(file));
    await this.#tables.storage.remove(gone).catch(() => undefined);
  }

  /** Pins take over from the log when their snapshot was current, before anything cuts it (semantics, section 6). */
  #withPins(metadata: TableMetadata): TableMetadata {
    const updates = refreshedPins(metadata);
    if (Object.keys(updates).length === 0) return metadata;
    return applyUpdates(metadata, [{ action: 'set-properties', updates }], metadata.lastUpdatedMs);
  }

  async #write(metadata: TableMetadata): Promise<void> {
    const location = nextMetadataLocation(metadata.location, this.base?.metadataLocation ?? null);
    const bytes = new TextEncoder().encode(printMetadata(metadata));
    this.written.push(location);
    await this.#tables.storage.write(location, bytes, { ifAbsent: true });
    this.#tables.files.keepMetadata(location, metadata, bytes.byteLength);
    const { identifier } = this;
    const uuid = metadata.tableUuid;
    this.#pointer =
      this.base === null
        ? { kind: 'create', identifier, uuid, to: location }
        : { kind: 'swap', identifier, uuid, from: this.base.metadataLocation, to: location };
    this.#result = { identifier, uuid, metadataLocation: location, metadata };
  }

  #context(start: TableMetadata): ActionContext {
    const files = this.#tables.files;
    const newestMs = Math.max(start.lastUpdatedMs, start.snapshotLog.at(-1)?.timestampMs ?? 0);
    return {
      nowMs: Math.max(nowMs(this.#tables.clock), newestMs + 1),
      attempt: this.#attempt,
      read: (location) => files.manifest(location),
      write: async (location, bytes) => {
        this.written.push(location);
        await this.#tables.storage.write(location, bytes);
        files.keepManifest(location, bytes);
      },
    };
  }
}
