import { currentSchema } from '../../iceberg/metadata.ts';
import { buildPartitionSpec, type PartitionInput } from '../../iceberg/partition-spec.ts';
import type { TableAction } from '../table-action.ts';

/** New files are partitioned by these columns from now on; files that are there stay as they are (spec: "Partition Evolution"). */
export function setPartitioning(fields: readonly PartitionInput[]): TableAction {
  return {
    name: 'set partitioning',
    async apply(base) {
      const spec = buildPartitionSpec(currentSchema(base), fields, base.lastPartitionId, base.partitionSpecs);
      return {
        updates: [
          { action: 'add-spec', spec },
          { action: 'set-default-spec', specId: -1 },
        ],
        requirements: [],
      };
    },
  };
}
