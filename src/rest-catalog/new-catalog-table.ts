import { randomUUID } from 'node:crypto';
import { nowMs } from '../clock.ts';
import type { TableIdentifier } from '../iceberg/identifier.ts';
import type { TableMetadata } from '../iceberg/metadata.ts';
import { newTableMetadata } from '../iceberg/new-metadata.ts';
import type { PartitionSpec } from '../iceberg/partition-spec.ts';
import type { Schema } from '../iceberg/schema.ts';
import type { SortOrder } from '../iceberg/sort-order.ts';
import { requestedFormatVersion } from '../iceberg/table-property.ts';
import { refuseOwnBeginning } from '../tables/actions/foreign-commit.ts';
import { newTableLocation } from '../tables/table-location.ts';
import type { Tables } from '../tables/tables.ts';

/** A table as an engine asks for it (REST specification: `CreateTableRequest`). Ids of columns are given anew. */
export interface NewCatalogTable {
  readonly schema: Schema;
  /** Unpartitioned where left out; its source ids are those of `schema`. */
  readonly partitionSpec?: PartitionSpec | undefined;
  /** Unsorted where left out. */
  readonly sortOrder?: SortOrder | undefined;
  readonly properties: Readonly<Record<string, string>>;
  /** Below the warehouse, and unlike any other table's, where left out. */
  readonly location?: string | undefined;
}

/** What properties say where the request does not: as the reference implementation writes it into new tables. */
const defaultProperties = { 'write.parquet.compression-codec': 'zstd' };

/** The metadata that the table begins with. Throws BAD_USER_INPUT where the schema, spec, sort order or format version cannot be. */
export function beginCatalogTable(tables: Tables, identifier: TableIdentifier, table: NewCatalogTable): TableMetadata {
  const { schema, partitionSpec, sortOrder, properties, location } = table;
  const uuid = randomUUID();
  refuseOwnBeginning({ properties, refs: {} });
  return newTableMetadata({
    uuid,
    location: location ?? newTableLocation(tables.warehouse, identifier, uuid),
    schema,
    partitionSpec: partitionSpec ?? { specId: 0, fields: [] },
    ...(sortOrder === undefined ? {} : { sortOrder }),
    properties: { ...defaultProperties, ...properties },
    formatVersion: requestedFormatVersion(properties),
    nowMs: nowMs(tables.clock),
  });
}
