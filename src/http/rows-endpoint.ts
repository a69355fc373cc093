import type { IncomingMessage, ServerResponse } from 'node:http';
import { IcecoreError } from '../errors.ts';
import type { Icecore } from '../icecore.ts';

/** The table of `/tables/NAME/rows`; null for other paths. */
export function rowsTableOf(pathname: string): string | null {
  const name = /^\/tables\/([^/]+)\/rows$/.exec(pathname)?.[1];
  return name === undefined ? null : decodeURIComponent(name);
}

export async function answerRowsUpload(
  _icecore: Icecore,
  _table: string,
  _req: IncomingMessage,
  _res: ServerResponse,
): Promise<void> {
  throw new IcecoreError('FAILED_PRECONDITION', 'Uploading rows as an Arrow stream is not built yet.');
}
