import type { LineageState } from './lineage-graph.ts';
import type { LineageRef } from './lineage-record.ts';

/** What has become of things, in their order, as far as one part of the store knows; PRESENT for what it does not know. */
export type StatesOf = (refs: readonly LineageRef[]) => Promise<readonly LineageState[]>;

const fromMildToWorst: readonly LineageState[] = ['PRESENT', 'DELETED', 'REDACTED', 'HIDDEN'];

/** What the parts know together: that something was redacted says more than that it is gone, and what is hidden shows nothing. */
export async function worstStates(refs: readonly LineageRef[], parts: readonly StatesOf[]): Promise<readonly LineageState[]> {
  const known = await Promise.all(parts.map((part) => part(refs)));
  return refs.map((_ref, index) => {
    const ranks = known.map((states) => fromMildToWorst.indexOf(states[index] ?? 'PRESENT'));
    return fromMildToWorst[Math.max(0, ...ranks)] ?? 'PRESENT';
  });
}
