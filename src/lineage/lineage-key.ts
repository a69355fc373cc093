import type { LineageRef } from './lineage-record.ts';

/** What two refs to the same version of the same thing have in common, whatever it was called. */
export function lineageKey({ kind, uuid, version }: Pick<LineageRef, 'kind' | 'uuid' | 'version'>): string {
  return JSON.stringify([kind, uuid, version]);
}
