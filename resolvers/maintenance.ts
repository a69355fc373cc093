import { notBuilt } from './not-built.ts';

export function expireSnapshots(..._: readonly unknown[]): never {
  return notBuilt('expireSnapshots');
}

export function removeOrphanFiles(..._: readonly unknown[]): never {
  return notBuilt('removeOrphanFiles');
}

export function rewriteManifests(..._: readonly unknown[]): never {
  return notBuilt('rewriteManifests');
}

export function compactTable(..._: readonly unknown[]): never {
  return notBuilt('compactTable');
}

export function eraseRows(..._: readonly unknown[]): never {
  return notBuilt('eraseRows');
}
