import { IcecoreError } from '../errors.ts';
import type { ManifestFile } from './data-file.ts';
import type { TableMetadata } from './metadata.ts';

/** What a snapshot of format version 3 says of the ids of its rows; nothing before. */
export interface RowIds {
  readonly firstRowId?: bigint;
  readonly addedRows?: bigint;
}

/**
 * v3: data manifests that have no row ids yet take the next ones, as many as they have rows; those of a table that was upgraded as well as new ones
 * (spec: "First Row ID Assignment").
 */
export function withRowIds(
  base: TableMetadata,
  manifests: readonly ManifestFile[],
): RowIds & { readonly manifests: readonly ManifestFile[] } {
  if (base.formatVersion < 3) return { manifests };
  const firstRowId = base.nextRowId ?? 0n;
  let next = firstRowId;
  const assigned = manifests.map((manifest) => {
    if (manifest.content !== 'data' || manifest.firstRowId !== undefined) return manifest;
    if (manifest.addedRowsCount < 0n || manifest.existingRowsCount < 0n) throw uncounted(manifest);
    const given = { ...manifest, firstRowId: next };
    next += manifest.addedRowsCount + manifest.existingRowsCount;
    return given;
  });
  return { manifests: assigned, firstRowId, addedRows: next - firstRowId };
}

function uncounted({ manifestPath }: ManifestFile): IcecoreError {
  return new IcecoreError(
    'FAILED_PRECONDITION',
    `The manifest ${manifestPath} is listed in the old way of format version 1, without its number of rows, so that they cannot be given ids. Rewrite the table's manifests before it goes to version 3.`,
    { context: { file: manifestPath } },
  );
}
