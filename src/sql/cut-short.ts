import { type DuckDBResult, ResultReturnType } from '@duckdb/node-api';
import { IcecoreError } from '../errors.ts';

/**
 * To be called where a streamed result has given its last chunk: a statement that fails in mid-stream ends like one that is done, and only the
 * result's type tells them apart (`duckdb_result_return_type`; nothing tells why). Throws OVERLOADED then; `what` begins the message.
 */
export function refuseCutShort(result: DuckDBResult, what: string, signal?: AbortSignal): void {
  signal?.throwIfAborted();
  if (!isCutShort(result)) return;
  throw new IcecoreError(
    'OVERLOADED',
    `${what} ended before its last row: the engine failed in the middle of it, and does not say why.`,
    {
      retryable: true,
    },
  );
}

export function isCutShort(result: DuckDBResult): boolean {
  return result.returnType === ResultReturnType.INVALID;
}
