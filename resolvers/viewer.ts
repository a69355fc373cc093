import { notBuilt } from './not-built.ts';

export function viewerPendingApprovals(..._: readonly unknown[]): never {
  return notBuilt('viewerPendingApprovals');
}

export function viewer(..._: readonly unknown[]): never {
  return notBuilt('viewer');
}
