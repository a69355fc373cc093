import type { TableAction } from '../table-action.ts';

/** Raises the format version; never lowered. Other engines may not read the new one: an upgrade is always asked for. */
export function upgradeFormat(formatVersion: 1 | 2 | 3): TableAction {
  return {
    name: 'upgrade format version',
    apply: async () => ({ updates: [{ action: 'upgrade-format-version', formatVersion }], requirements: [] }),
  };
}
