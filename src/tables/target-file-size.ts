import { IcecoreError } from '../errors.ts';
import type { TableMetadata } from '../iceberg/metadata.ts';
import { dataFileBytesDefault } from '../limits.ts';

/** How large a table wants its data files: `write.target-file-size-bytes`. Throws FAILED_PRECONDITION where that is no number. */
export function targetFileBytes({ properties }: TableMetadata): bigint {
  const text = properties['write.target-file-size-bytes'];
  if (text === undefined) return BigInt(dataFileBytesDefault);
  if (/^[1-9]\d{0,17}$/.test(text)) return BigInt(text);
  throw new IcecoreError(
    'FAILED_PRECONDITION',
    `The table property write.target-file-size-bytes is "${text}", and no number of bytes above 0.`,
    { context: { property: 'write.target-file-size-bytes' } },
  );
}
