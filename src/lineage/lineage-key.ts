import type { LineageKind, LineageRef } from './lineage-record.ts';

/** What two refs to the same version of the same thing have in common, whatever it was called. */
export function lineageKey({ kind, uuid, version }: Pick<LineageRef, 'kind' | 'uuid' | 'version'>): string {
  return JSON.stringify([kind, uuid, version]);
}

const impliedPrefix = 'implied:';

/** The id of an edge that nobody recorded: what it leads to has at most one. */
export function impliedEdgeId(to: Pick<LineageRef, 'kind' | 'uuid' | 'version'>): string {
  return `${impliedPrefix}${lineageKey(to)}`;
}

/** What an edge with such an id leads to, its name unknown; null for another id. */
export function impliedEdgeEnd(id: string): LineageRef | null {
  if (!id.startsWith(impliedPrefix)) return null;
  try {
    const [kind, uuid, version]: readonly unknown[] = JSON.parse(id.slice(impliedPrefix.length));
    const isRef = typeof kind === 'string' && typeof uuid === 'string' && (version === null || typeof version === 'string');
    return isRef ? { kind: kind as LineageKind, uuid, version, name: '' } : null;
  } catch {
    return null;
  }
}
