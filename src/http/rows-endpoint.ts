import type { IncomingMessage, ServerResponse } from 'node:http';
import { mutate } from '../../resolvers/mutation.ts';
import type { Caller } from '../access/caller.ts';
import { hasRole } from '../access/role.ts';
import { IcecoreError } from '../errors.ts';
import type { Icecore } from '../icecore.ts';
import { arrowBodyBytesMax } from '../limits.ts';
import type { WriteMode } from '../tables/write-rows.ts';
import { arrowStreamType } from './arrow-transport.ts';
import { answerJson } from './json-answer.ts';
import { SpooledBody } from './spooled-body.ts';

const modes: readonly WriteMode[] = ['APPEND', 'UPSERT', 'DELETE', 'OVERWRITE'];
const parameters = new Set(['mode', 'keys', 'branch', 'expectedSnapshotId']);

/** The table of `/tables/NAME/rows`; null for other paths. */
export function rowsTableOf(pathname: string): string | null {
  const name = /^\/tables\/([^/]+)\/rows$/.exec(pathname)?.[1];
  try {
    return name === undefined ? null : decodeURIComponent(name);
  } catch {
    return null;
  }
}

/**
 * `POST /tables/NAME/rows?mode=APPEND&keys=a,b&branch=main&expectedSnapshotId=N`, an Arrow IPC stream as the body: `writeRows` for more than
 * a request holds. `Idempotency-Key` is a header. Answers `{"snapshotId","rowsAdded","rowsRemoved"}`, the numbers as text.
 */
export async function answerRowsUpload(
  icecore: Icecore,
  table: string,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  try {
    const caller = icecore.keys.authenticate(req.headers.authorization);
    await icecore.access.asCaller(caller, () => uploadRows(icecore, caller, table, req, res));
  } catch (error) {
    if (IcecoreError.is(error, 'UNAUTHENTICATED')) void icecore.audit.refused(null, 'authenticate', 'server', error);
    // What of the body was not read would be taken for the next request.
    if (!req.complete) res.setHeader('connection', 'close');
    throw error;
  }
}

async function uploadRows(
  icecore: Icecore,
  caller: Caller,
  table: string,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  checkRequest(req);
  const left = new AbortController();
  res.once('close', () => left.abort());
  const write = { table, ...parametersOf(req) };
  const key = req.headers['idempotency-key'];
  const idempotencyKey = typeof key === 'string' ? key : null;
  // A repetition is told by its bytes, which have to be known before anything is written; of who may not write, none is taken.
  const isTaken = idempotencyKey !== null && hasRole(caller, 'scientist');
  const spooled = isTaken ? await SpooledBody.take(req, icecore.tables.stagingDirectory, arrowBodyBytesMax) : null;
  try {
    const input = { ...write, idempotencyKey, bodySha256: spooled?.sha256 ?? null };
    const rows = { arrow: spooled === null ? req : spooled.bytes() };
    const written = await mutate({ icecore, caller, signal: left.signal }, 'writeRows', input, (call) =>
      icecore.rowWrites.write(call, { ...write, rows }, left.signal),
    );
    answerJson(res, 200, {
      snapshotId: String(written.snapshot.snapshotId),
      rowsAdded: String(written.rowsAdded),
      rowsRemoved: String(written.rowsRemoved),
    });
  } finally {
    await spooled?.remove();
  }
}

function checkRequest(req: IncomingMessage): void {
  if (req.method !== 'POST') throw new IcecoreError('BAD_USER_INPUT', `Rows are sent with POST, not ${req.method}.`);
  const type = req.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (type !== arrowStreamType) {
    throw new IcecoreError(
      'BAD_USER_INPUT',
      `The body is ${type ?? 'of no type'}: send an Arrow IPC stream, as ${arrowStreamType}.`,
    );
  }
  const bytes = Number(req.headers['content-length'] ?? 0);
  if (bytes > arrowBodyBytesMax) {
    throw new IcecoreError(
      'OVERLOADED',
      `The body has ${bytes} bytes, and ${arrowBodyBytesMax} are taken at a time: send it in parts.`,
    );
  }
}

function parametersOf(req: IncomingMessage) {
  const { searchParams } = new URL(req.url ?? '/', 'http://host');
  const unknown = [...searchParams.keys()].find((name) => !parameters.has(name));
  if (unknown !== undefined) {
    throw new IcecoreError('BAD_USER_INPUT', `There is no parameter "${unknown}"; there are ${[...parameters].join(', ')}.`);
  }
  const mode = searchParams.get('mode') ?? 'APPEND';
  const known = modes.find((each) => each === mode.toUpperCase());
  if (known === undefined) throw new IcecoreError('BAD_USER_INPUT', `There is no mode "${mode}"; there are ${modes.join(', ')}.`);
  const keys = searchParams.get('keys');
  const expected = searchParams.get('expectedSnapshotId');
  if (expected !== null && !/^\d{1,19}$/.test(expected)) {
    throw new IcecoreError('BAD_USER_INPUT', `expectedSnapshotId is "${expected}"; it takes the number of a snapshot.`);
  }
  return {
    mode: known,
    branch: searchParams.get('branch') ?? 'main',
    keys: keys === null ? null : keys.split(',').map((name) => name.trim()),
    expectedSnapshotId: expected === null ? null : BigInt(expected),
  };
}
