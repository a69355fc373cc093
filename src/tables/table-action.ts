import type { TableMetadata } from '../iceberg/metadata.ts';
import type { TableRequirement, TableUpdate } from '../iceberg/table-update.ts';

export interface ActionResult {
  readonly updates: readonly TableUpdate[];
  readonly requirements: readonly TableRequirement[];
}

/**
 * A change to one table: a function of the metadata it is applied to. After a lost race it is applied again to the fresh metadata, so it
 * validates itself against `base` each time and throws where the change no longer makes sense. Manifests that it writes in a round
 * that loses are removed.
 */
export interface TableAction {
  /** For messages: `append`, `compact` and so on. */
  readonly name: string;
  apply(base: TableMetadata, context: ActionContext): Promise<ActionResult>;
  /** Throws where the table must not go from the one to the other. */
  verify?(before: TableMetadata, after: TableMetadata): void;
}

export interface ActionContext {
  /** Milliseconds since the epoch for this attempt; later than the base's last update. */
  readonly nowMs: number;
  readonly attempt: number;
  /** Reads a manifest list or manifest (cached: they never change). */
  read(location: string): Promise<Uint8Array>;
  /** Writes a metadata-side file of this attempt: durable before the table's new metadata is. */
  write(location: string, bytes: Uint8Array): Promise<void>;
}
