import { nowMs } from '../../clock.ts';
import { IcecoreError } from '../../errors.ts';
import type { TableIdentifier } from '../../iceberg/identifier.ts';
import { asArrayOf, asRecordOf, asString, type JsonObject, member, optionalMember } from '../../iceberg/json-member.ts';
import { noSuchTable } from '../../rest-catalog/refusal.ts';
import type { SignRequest } from '../../rest-catalog/signable-request.ts';
import { parseStagingTicket } from '../../rest-catalog/staging-ticket.ts';
import { requireUnclaimedLocation } from '../../tables/location-claim.ts';
import { type IcebergAnswer, jsonAnswer } from './answer.ts';
import { tableOf } from './path-names.ts';
import type { IcebergRequest, Route } from './route.ts';
import { holderOf } from './table-extras.ts';

const where = 'the request to sign';
const one = '/v1/{prefix}/namespaces/{namespace}/tables/{table}';

/** How clients reach the files of tables (REST specification: "Catalog API", `loadCredentials` and `signRequest`). */
export const storageRoutes: readonly Route[] = [
  { operation: 'loadCredentials', method: 'GET', path: `${one}/credentials`, answer: loadCredentials, isServed },
  { operation: 'signRequest', method: 'POST', path: `${one}/sign`, answer: signRequest, isServed },
];

function isServed({ icecore }: Pick<IcebergRequest, 'icecore'>): boolean {
  return icecore.tableAccesses.isServed;
}

async function loadCredentials(request: IcebergRequest): Promise<IcebergAnswer> {
  const { icecore, caller } = request;
  const identifier = tableOf(request);
  const { metadataLocation } = await icecore.catalogTables.pointer(caller, identifier);
  const metadata = await icecore.tables.files.metadata(metadataLocation);
  const credentials = icecore.tableAccesses.credentials(metadata, holderOf(request, identifier));
  return jsonAnswer({ 'storage-credentials': credentials }, { 'cache-control': 'no-store' });
}

async function signRequest(request: IcebergRequest): Promise<IcebergAnswer> {
  const asked = signRequestOf(await request.json());
  const identifier = tableOf(request);
  const { access, subject } = holderOf(request, identifier);
  const place = await placeOf(request, identifier);
  const { uri, headers, isReusable } = await request.icecore.tableAccesses.signing.sign(asked, place, access, subject);
  // Java's clients keep what may be kept for half a minute, whatever part of the file they read.
  return jsonAnswer({ uri, headers }, { 'cache-control': isReusable ? 'private' : 'no-cache' });
}

/** Where the table's files are: as the catalog knows it, else, for one that is staged, as the ticket says that it got with it. */
async function placeOf({ icecore, caller, query }: IcebergRequest, identifier: TableIdentifier): Promise<string> {
  const ticket = query.get('staged');
  try {
    const { metadataLocation } = await icecore.catalogTables.pointer(caller, identifier);
    return (await icecore.tables.files.metadata(metadataLocation)).location;
  } catch (error) {
    if (ticket === null || !IcecoreError.is(error, 'NOT_FOUND')) throw error;
  }
  const expected = { identifier, subject: caller.actor.id };
  const staged = parseStagingTicket(ticket, expected, icecore.stagingSecret, nowMs(icecore.clock));
  if (staged === null) throw noSuchTable(identifier);
  // Somebody may have taken the place meanwhile.
  await requireUnclaimedLocation(icecore.tables, identifier, staged.uuid, staged.location);
  return staged.location;
}

function signRequestOf(body: JsonObject): SignRequest {
  const provider = optionalMember(body, 'provider', asString, where) ?? 's3';
  if (provider.toLowerCase() !== 's3') {
    throw new IcecoreError('BAD_USER_INPUT', `Requests to ${JSON.stringify(provider)} are not signed here, but those to s3.`);
  }
  return {
    method: member(body, 'method', asString, where),
    region: member(body, 'region', asString, where),
    uri: member(body, 'uri', asString, where),
    headers: member(body, 'headers', asRecordOf(asArrayOf(asString)), where),
    body: optionalMember(body, 'body', asString, where) ?? null,
  };
}
