import type { TableAction } from '../table-action.ts';

/** Sets and removes table properties; what is removed before what is set. */
export function setProperties(updates: Readonly<Record<string, string>>, removals: readonly string[] = []): TableAction {
  return {
    name: 'set properties',
    apply: async () => ({
      updates: [
        ...(removals.length === 0 ? [] : [{ action: 'remove-properties', removals } as const]),
        ...(Object.keys(updates).length === 0 ? [] : [{ action: 'set-properties', updates } as const]),
      ],
      requirements: [],
    }),
  };
}
