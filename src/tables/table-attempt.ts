import type { PointerChange } from '../catalog/catalog.ts';
import { nowMs } from '../clock.ts';
import { IcecoreError } from '../errors.ts';
import { printIdentifier } from '../iceberg/identifier.ts';
import type { TableMetadata } from '../iceberg/metadata.ts';
import { printMetadata } from '../iceberg/metadata-json.ts';
import { applyUpdates, withPreviousMetadata } from '../iceberg/metadata-update.ts';
import { checkRequirements } from '../iceberg/requirement.ts';
import { tableMetadataBytesMax } from '../limits.ts';
import { checkedUpdates, checkLocations } from './metadata-locations.ts';
import { refreshedPins, refusePinned } from './pin.ts';
import { isOwnFile } from './reachable.ts';
import type { Table } from './table.ts';
import type { ActionContext, TableAction } from './table-action.ts';
import type { TableIntent } from './table-intent.ts';
import { nextMetadataLocation } from './table-location.ts';
import type { Tables } from './tables.ts';

/** One attempt at what is intended with one table: what it would become, and the files that were written for that. */
export class TableAttempt {
  readonly intent: TableIntent;
  readonly base: Table | null;
  /** Locations of metadata files, manifest lists and manifests of this attempt. */
  readonly written: string[] = [];
  readonly #tables: Tables;
  readonly #attempt: number;
  #pointers: readonly PointerChange[] = [];
  #result: Table | null = null;
  #joined: TableMetadata | null = null;

  constructor(tables: Tables, intent: TableIntent, base: Table | null, attempt: number) {
    this.#tables = tables;
    this.intent = intent;
    this.base = base;
    this.#attempt = attempt;
  }

  /** What the catalog is to do; nothing where the actions changed nothing. */
  get pointers(): readonly PointerChange[] {
    return this.#pointers;
  }

  /** The table as it is once the catalog has done it; null for one that is dropped. */
  get result(): Table | null {
    return this.#result;
  }

  /** Throws PINNED where a pin holds one of its snapshots. */
  drop(): void {
    this.#pointers = this.#dropBase();
  }

  /** Applies the actions in order and writes the new metadata file, durable before any pointer names it. */
  async apply(): Promise<void> {
    const { beginning, actions } = this.intent;
    const start = beginning?.metadata ?? this.base?.metadata;
    const startLocation = beginning === undefined ? (this.base?.metadataLocation ?? null) : beginning.metadataLocation;
    if (start === undefined) return;
    if (beginning !== undefined) await checkLocations(this.#tables, this.intent.identifier, start);
    let metadata = actions.length === 0 ? start : this.#withPins(start);
    for (const action of actions) metadata = await this.#applyOne(action, metadata);
    const isSame = metadata === start && startLocation !== null;
    if (!isSame && startLocation !== null) metadata = withPreviousMetadata(metadata, startLocation, start.lastUpdatedMs);
    this.#point(metadata, isSame ? startLocation : await this.#write(metadata, startLocation));
  }

  /**
   * Applies a writer's actions behind those of others, all of them or none: what was applied so far stays. Only for a table that is there;
   * `finish` writes the metadata file.
   */
  async join(actions: readonly TableAction[]): Promise<void> {
    if (this.base === null) throw new IcecoreError('INTERNAL', 'Writers share a commit to a table that is there.');
    const written = this.written.length;
    try {
      let metadata = this.#joined ?? this.#withPins(this.base.metadata);
      for (const action of actions) metadata = await this.#applyOne(action, metadata);
      this.#joined = metadata;
    } catch (error) {
      const left = this.written.splice(written);
      this.#tables.files.forget(left);
      await this.#tables.storage.remove(left).catch(() => undefined);
      throw error;
    }
  }

  /** The metadata file of what was joined, durable when it resolves. */
  async finish(): Promise<void> {
    const { base } = this;
    if (base === null || this.#joined === null) return;
    if (this.#joined === base.metadata) return this.#point(base.metadata, base.metadataLocation);
    const metadata = withPreviousMetadata(this.#joined, base.metadataLocation, base.metadata.lastUpdatedMs);
    this.#point(metadata, await this.#write(metadata, base.metadataLocation));
  }

  /** After the commit: removes metadata files that the table's properties want removed. */
  async settle(): Promise<void> {
    const { base } = this;
    const now = this.#result?.metadata;
    // What makes way for a registered table is only forgotten.
    if (this.intent.beginning !== undefined) return;
    if (base === null || now === undefined || !deletesOldMetadata(now)) return;
    const kept = new Set(now.metadataLog.map((entry) => entry.metadataFile));
    const logged = base.metadata.metadataLog.map((entry) => entry.metadataFile);
    // Metadata that was registered may name other tables' files.
    const gone = logged.filter((file) => !kept.has(file) && isOwnFile(now, file));
    await this.#tables.storage.remove(gone).catch(() => undefined);
  }

  /** Pins take over from the log when their snapshot was current, before anything cuts it (semantics, section 6). */
  #withPins(metadata: TableMetadata): TableMetadata {
    const updates = refreshedPins(metadata);
    if (Object.keys(updates).length === 0) return metadata;
    return applyUpdates(metadata, [{ action: 'set-properties', updates }], metadata.lastUpdatedMs);
  }

  async #applyOne(action: TableAction, before: TableMetadata): Promise<TableMetadata> {
    const context = this.#context(before);
    const { updates, requirements } = await action.apply(before, context);
    checkRequirements(before, requirements);
    const checked = await checkedUpdates(this.#tables, this.intent.identifier, before, updates);
    const after = applyUpdates(before, checked, context.nowMs);
    action.verify?.(before, after);
    return this.#withPins(after);
  }

  /** The location of the new metadata file. */
  async #write(metadata: TableMetadata, previousLocation: string | null): Promise<string> {
    const location = nextMetadataLocation(metadata.location, previousLocation, metadata.properties);
    const bytes = new TextEncoder().encode(printMetadata(metadata));
    if (bytes.byteLength > tableMetadataBytesMax) {
      throw new IcecoreError(
        'BAD_USER_INPUT',
        `The metadata of ${printIdentifier(this.intent.identifier)} would have ${bytes.byteLength} bytes, and may have ${tableMetadataBytesMax}, since it is read whole: expire snapshots, or remove properties.`,
      );
    }
    this.written.push(location);
    await this.#tables.storage.write(location, bytes, { ifAbsent: true, isUnsettled: true });
    // All of this attempt at once: they mostly lie in one directory.
    await this.#tables.storage.settle(this.written);
    this.#tables.files.keepMetadata(location, metadata, bytes.byteLength);
    return location;
  }

  #point(metadata: TableMetadata, to: string): void {
    const { beginning, renamedTo, requireNamespace } = this.intent;
    const identifier = renamedTo ?? this.intent.identifier;
    const uuid = metadata.tableUuid;
    this.#result = { identifier, uuid, metadataLocation: to, metadata };
    const create: PointerChange = { kind: 'create', identifier, uuid, to, requireNamespace };
    if (beginning !== undefined) this.#pointers = [...(beginning.overwrites ? this.#dropBase() : []), create];
    else if (this.base === null) this.#pointers = [];
    else {
      const from = { identifier: this.intent.identifier, uuid: this.base.uuid, from: this.base.metadataLocation };
      if (renamedTo !== undefined) this.#pointers = [{ kind: 'drop', ...from }, create];
      else this.#pointers = to === from.from ? [] : [{ kind: 'swap', ...from, to }];
    }
  }

  #dropBase(): readonly PointerChange[] {
    if (this.base === null) return [];
    const { uuid, metadataLocation, metadata } = this.base;
    const { identifier } = this.intent;
    refusePinned(metadata, `The table ${printIdentifier(identifier)} cannot be dropped`);
    return [{ kind: 'drop', identifier, uuid, from: metadataLocation }];
  }

  #context(start: TableMetadata): ActionContext {
    const files = this.#tables.files;
    const newestMs = Math.max(start.lastUpdatedMs, start.snapshotLog.at(-1)?.timestampMs ?? 0);
    return {
      nowMs: Math.max(nowMs(this.#tables.clock), newestMs + 1),
      attempt: this.#attempt,
      read: async (location) => {
        await files.judge(start, [location]);
        return await files.manifest(location);
      },
      write: async (location, bytes) => {
        this.written.push(location);
        await this.#tables.storage.write(location, bytes, { isUnsettled: true });
        files.keepManifest(location, bytes);
      },
    };
  }
}

function deletesOldMetadata({ properties }: TableMetadata): boolean {
  return properties['write.metadata.delete-after-commit.enabled']?.toLowerCase() === 'true';
}
