import { notBuilt } from './not-built.ts';
import type { SnapshotView } from './views.ts';

export function snapshotRefSnapshot(..._: readonly unknown[]): never {
  return notBuilt('snapshotRefSnapshot');
}

export function snapshotParent(..._: readonly unknown[]): never {
  return notBuilt('snapshotParent');
}

export function snapshotRefs(..._: readonly unknown[]): never {
  return notBuilt('snapshotRefs');
}

export function snapshotProducedBy(..._: readonly unknown[]): never {
  return notBuilt('snapshotProducedBy');
}

export function snapshotPinnedBy(..._: readonly unknown[]): never {
  return notBuilt('snapshotPinnedBy');
}

export function tableSnapshotTableName(..._: readonly unknown[]): never {
  return notBuilt('tableSnapshotTableName');
}

export function tableSnapshotSnapshot(..._: readonly unknown[]): never {
  return notBuilt('tableSnapshotSnapshot');
}

export function setSnapshotRef(..._: readonly unknown[]): never {
  return notBuilt('setSnapshotRef');
}

export function rollbackTable(..._: readonly unknown[]): never {
  return notBuilt('rollbackTable');
}

export function snapshotCommitted(..._: readonly unknown[]): AsyncIterable<SnapshotView> {
  return notBuilt('snapshotCommitted');
}
