import type { DataFile } from '../../iceberg/data-file.ts';
import type { TableAction } from '../table-action.ts';
import { addSnapshot, type SnapshotOptions } from './add-snapshot.ts';

/** Adds data files as a new snapshot; whatever else was committed meanwhile stays. No file makes a snapshot without a change. */
export function appendFiles(files: readonly DataFile[], options: SnapshotOptions = {}): TableAction {
  return {
    name: 'append',
    apply: (base, context) => addSnapshot(base, context, options, { operation: 'append', added: files, removedPaths: new Set() }),
  };
}
