import type { TableIdentifier } from '../iceberg/identifier.ts';
import type { ViewMetadata } from '../iceberg/view.ts';

/** A view as it is now. */
export interface View {
  readonly identifier: TableIdentifier;
  readonly uuid: string;
  readonly metadataLocation: string;
  readonly metadata: ViewMetadata;
}
