import { notBuilt } from './not-built.ts';

export function lineageNodeSubject(..._: readonly unknown[]): never {
  return notBuilt('lineageNodeSubject');
}

export function lineage(..._: readonly unknown[]): never {
  return notBuilt('lineage');
}

export function impact(..._: readonly unknown[]): never {
  return notBuilt('impact');
}
