import { cliRefsShownMax, cliSnapshotsShownMax } from '../limits.ts';
import type { Api } from './api.ts';
import { type ListedTable, listedTableFields, type SnapshotSummary } from './table-list.ts';

const query = `query ($name: String!, $snapshots: Int, $refs: Int) {
  table(name: $name) {
    ${listedTableFields} uuid location formatVersion properties
    columns { fieldId name type required doc }
    partitionFields { name column transform }
    refs(first: $refs) { totalCount edges { node { name type snapshot { snapshotId } } } }
    last: snapshots(first: $snapshots) { edges { node { snapshotId committedAt operation summary producedBy { kind } } } }
  }
  featureTable(name: $name) { entityKeys eventTime knownTime sequence timeToLive description owner definition }
}`;

/** What makes it a feature table. */
export interface FeatureDeclaration {
  readonly entityKeys: readonly string[];
  readonly eventTime: string;
  readonly knownTime: string | null;
  readonly sequence: string | null;
  readonly timeToLive: string | null;
  readonly description: string | null;
  readonly owner: string | null;
  readonly definition: string | null;
}

export interface DescribedTable extends ListedTable {
  readonly uuid: string;
  readonly location: string;
  readonly formatVersion: number;
  readonly columns: readonly {
    readonly fieldId: number;
    readonly name: string;
    readonly type: string;
    readonly required: boolean;
    readonly doc: string | null;
  }[];
  readonly partitionFields: readonly { readonly name: string; readonly column: string; readonly transform: string }[];
  readonly refs: {
    readonly totalCount: string | null;
    readonly edges: readonly {
      readonly node: { readonly name: string; readonly type: string; readonly snapshot: { readonly snapshotId: string } };
    }[];
  };
  readonly last: {
    readonly edges: readonly { readonly node: SnapshotSummary & { readonly producedBy: { readonly kind: string } | null } }[];
  };
}

export interface TableDescription {
  readonly table: DescribedTable;
  readonly featureTable: FeatureDeclaration | null;
}

/** One table with its columns, partitioning, refs and last snapshots; null where there is none of that name. */
export async function describeTable(api: Api, name: string): Promise<TableDescription | null> {
  const { table, featureTable } = await api.ask<{ readonly table: DescribedTable | null } & Omit<TableDescription, 'table'>>(
    query,
    {
      name,
      snapshots: cliSnapshotsShownMax,
      refs: cliRefsShownMax,
    },
  );
  return table === null ? null : { table, featureTable };
}
