import type { TableMetadata } from '../iceberg/metadata.ts';
import type { TableAction } from '../tables/table-action.ts';
import { type FeatureDeclaration, printDeclaration } from './feature-declaration.ts';

/** Writes a declaration into a table's properties. It is made anew from the metadata that the change is applied to. */
export function declareFeatures(declare: (metadata: TableMetadata) => FeatureDeclaration): TableAction {
  return {
    name: 'declare features',
    async apply(base) {
      const { updates, removals } = printDeclaration(declare(base));
      const present = removals.filter((name) => Object.hasOwn(base.properties, name));
      return {
        updates: [
          ...(present.length === 0 ? [] : [{ action: 'remove-properties', removals: present } as const]),
          { action: 'set-properties', updates },
        ],
        requirements: [],
      };
    },
  };
}
