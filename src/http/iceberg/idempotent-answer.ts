import type { Call } from '../../access/call.ts';
import { IcecoreError } from '../../errors.ts';
import type { TableIdentifier } from '../../iceberg/identifier.ts';
import { asArrayOf, asBoolean, asString, type JsonObject, member, optionalMember } from '../../iceberg/json-member.ts';
import { claimFor, type IdempotentCall, replay } from '../../ledger/idempotency.ts';
import { restKeyLifetimeMs } from '../../limits.ts';
import { type IcebergAnswer, jsonAnswer, noContent } from './answer.ts';
import { errorAnswer } from './error.ts';
import { namespaceAnswer } from './namespace-routes.ts';
import { namespaceOf, tableOf, viewOf } from './path-names.ts';
import type { IcebergRequest, Route } from './route.ts';
import { tableAnswer } from './table-routes.ts';
import { viewAnswer } from './view-routes.ts';

/** What a repetition is answered: made anew from what there is now. `first` is what was kept of the first answer. */
type Repetition = (request: IcebergRequest, body: JsonObject | null, first: unknown) => Promise<IcebergAnswer>;

/** The operations that have an effect, and so take a key. */
const repetitions: Readonly<Record<string, Repetition>> = {
  createNamespace: async ({ icecore, caller }, body) =>
    namespaceAnswer(await icecore.namespaces.load(caller, namespaceNamed(body))),
  dropNamespace: nothing,
  updateProperties: async (_request, _body, first) => jsonAnswer(first),
  createTable: (request, body) => tableNow(request, { namespace: namespaceOf(request), name: nameOf(body) }),
  registerTable: (request, body) => tableNow(request, { namespace: namespaceOf(request), name: nameOf(body) }),
  updateTable: (request) => tableNow(request, tableOf(request)),
  dropTable: nothing,
  renameTable: nothing,
  commitTransaction: nothing,
  createView: (request, body) => viewNow(request, { namespace: namespaceOf(request), name: nameOf(body) }),
  registerView: (request, body) => viewNow(request, { namespace: namespaceOf(request), name: nameOf(body) }),
  replaceView: (request) => viewNow(request, viewOf(request)),
  dropView: nothing,
  renameView: nothing,
};

/** Refusals that a repetition gets again. What may change by itself is tried anew: who may do what, and whatever is the server's fault. */
const final: ReadonlySet<string> = new Set([
  'BAD_USER_INPUT',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'CONFLICT',
  'PINNED',
  'FAILED_PRECONDITION',
]);

/** The `Idempotency-Key` of a request that has one and an effect. Throws BAD_USER_INPUT where it is no UUID of version 7 (RFC 9562). */
export function idempotencyKeyOf({ operation, headers }: Pick<IcebergRequest, 'operation' | 'headers'>): string | null {
  if (!Object.hasOwn(repetitions, operation)) return null;
  const key = headers['idempotency-key'];
  if (key === undefined) return null;
  if (typeof key === 'string' && /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i.test(key))
    return key.toLowerCase();
  throw new IcecoreError('BAD_USER_INPUT', 'The Idempotency-Key must be a UUID of version 7; make a new one for each operation.');
}

/**
 * What the route answers; under an `Idempotency-Key` that was used before, what it answered then (REST specification, `idempotency-key`). The key
 * is kept in the commit of the effect. A final refusal is kept too, any other failure is not. Throws BAD_USER_INPUT (`unprocessable`) for a
 * key of another request.
 */
export async function answerOnce(route: Route, request: IcebergRequest): Promise<IcebergAnswer> {
  const repeated = repetitions[route.operation];
  if (repeated === undefined || idempotencyKeyOf(request) === null) return await route.answer(request);
  const body = route.method === 'DELETE' ? null : await request.json();
  // Of a table that is only staged nothing is kept.
  if (body !== null && optionalMember(body, 'stage-create', asBoolean, 'the request') === true)
    return await route.answer(request);
  const { catalog, clock } = request.icecore;
  const call = keyed(request.call(body), route.operation);
  const before = async (): Promise<IcebergAnswer | null> => {
    const first = await replayed(request, call);
    if (first === null) return null;
    return refusalIn(first) ?? (await repeated(request, body, first));
  };
  const known = await before();
  if (known !== null) return known;
  try {
    const answer = await route.answer(request);
    const kept = await replayed(request, call);
    // What found nothing to change has committed nothing, and no key either.
    if (kept === null) await catalog.commit({ claims: [claimFor(call, {}, clock)] });
    return refusalIn(kept) ?? answer;
  } catch (error) {
    // The same request came twice at once, and the other one was first.
    const other = await before();
    if (other !== null) return other;
    if (IcecoreError.is(error) && final.has(error.code)) {
      const { status, body: text } = errorAnswer(error, route.operation);
      // Kept or not: the refusal at hand is what the caller is to hear.
      await catalog.commit({ claims: [claimFor(call, { refused: { status, text } }, clock)] }).catch(() => undefined);
    }
    throw error;
  }
}

function keyed({ caller, key, keyLifetimeMs, input }: Call, mutation: string): IdempotentCall {
  if (key === null) throw new IcecoreError('INTERNAL', 'The request has no Idempotency-Key.');
  return { caller, mutation, key, input, keyLifetimeMs: keyLifetimeMs ?? restKeyLifetimeMs };
}

async function replayed({ icecore }: IcebergRequest, call: IdempotentCall): Promise<unknown> {
  try {
    return await replay(icecore.catalog, call);
  } catch (error) {
    if (!IcecoreError.is(error, 'CONFLICT')) throw error;
    throw new IcecoreError('BAD_USER_INPUT', error.message, { context: { ...error.context, unprocessable: true }, cause: error });
  }
}

/** The refusal that was kept as the first answer; null where that was none. */
function refusalIn(first: unknown): IcebergAnswer | null {
  const refused = typeof first === 'object' && first !== null && 'refused' in first ? first.refused : null;
  if (typeof refused !== 'object' || refused === null || !('status' in refused) || !('text' in refused)) return null;
  return { status: Number(refused.status), body: String(refused.text) };
}

async function nothing(): Promise<IcebergAnswer> {
  return noContent;
}

async function tableNow(request: IcebergRequest, identifier: TableIdentifier): Promise<IcebergAnswer> {
  const pointer = await request.icecore.catalogTables.pointer(request.caller, identifier);
  const metadata = await request.icecore.tables.files.metadata(pointer.metadataLocation);
  return await tableAnswer(request, { ...pointer, metadata });
}

async function viewNow({ icecore, caller }: IcebergRequest, identifier: TableIdentifier): Promise<IcebergAnswer> {
  return viewAnswer(await icecore.viewOperations.load(caller, identifier));
}

function namespaceNamed(body: JsonObject | null): readonly string[] {
  return member(body ?? {}, 'namespace', asArrayOf(asString), 'the request');
}

function nameOf(body: JsonObject | null): string {
  return member(body ?? {}, 'name', asString, 'the request');
}
