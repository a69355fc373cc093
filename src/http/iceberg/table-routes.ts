import { nowMs } from '../../clock.ts';
import { IcecoreError } from '../../errors.ts';
import { printIdentifier, printNamespace, type TableIdentifier } from '../../iceberg/identifier.ts';
import {
  asArrayOf,
  asBoolean,
  asObject,
  asRecordOf,
  asString,
  type JsonObject,
  member,
  optionalMember,
} from '../../iceberg/json-member.ts';
import { metadataJson } from '../../iceberg/metadata-json.ts';
import { parsePartitionSpec } from '../../iceberg/partition-spec-json.ts';
import { parseSchema } from '../../iceberg/schema-json.ts';
import { parseSortOrder } from '../../iceberg/sort-order-json.ts';
import type { NewCatalogTable } from '../../rest-catalog/new-catalog-table.ts';
import { printStagingTicket } from '../../rest-catalog/staging-ticket.ts';
import type { Table } from '../../tables/table.ts';
import { type IcebergAnswer, jsonAnswer, noContent } from './answer.ts';
import type { SnapshotMode } from './load-answers.ts';
import { listBody } from './page.ts';
import { namespaceOf, tableOf } from './path-names.ts';
import type { IcebergRequest, Route } from './route.ts';
import { extrasOf } from './table-extras.ts';

const where = 'the request';
const all = '/v1/{prefix}/namespaces/{namespace}/tables';
const one = `${all}/{table}`;

/** Tables, but for commits to them (REST specification: "Catalog API", tables). */
export const tableRoutes: readonly Route[] = [
  { operation: 'listTables', method: 'GET', path: all, answer: listTables },
  { operation: 'createTable', method: 'POST', path: all, answer: createTable },
  { operation: 'loadTable', method: 'GET', path: one, answer: loadTable },
  { operation: 'tableExists', method: 'HEAD', path: one, answer: tableExists },
  { operation: 'dropTable', method: 'DELETE', path: one, answer: dropTable },
  { operation: 'renameTable', method: 'POST', path: '/v1/{prefix}/tables/rename', answer: renameTable },
  { operation: 'registerTable', method: 'POST', path: '/v1/{prefix}/namespaces/{namespace}/register', answer: registerTable },
];

async function listTables(request: IcebergRequest): Promise<IcebergAnswer> {
  const { icecore, caller, query } = request;
  const namespace = namespaceOf(request);
  const body = listBody(query, {
    member: 'identifiers',
    scope: `tables ${printNamespace(namespace)}`,
    read: (after, limit) => icecore.catalogTables.list(caller, { namespace, after, limit }),
    keyOf: ({ identifier }) => printIdentifier(identifier),
    print: ({ identifier: { namespace: parts, name } }) => ({ namespace: parts, name }),
  });
  return { status: 200, body };
}

async function createTable(request: IcebergRequest): Promise<IcebergAnswer> {
  const body = await request.json();
  const { icecore, caller } = request;
  const identifier = { namespace: namespaceOf(request), name: member(body, 'name', asString, where) };
  const definition = definitionOf(body);
  if (optionalMember(body, 'stage-create', asBoolean, where) !== true) {
    return await tableAnswer(request, await icecore.catalogTables.create(request.call(body), identifier, definition));
  }
  const metadata = await icecore.catalogTables.stage(caller, identifier, definition);
  const staged = { identifier, uuid: metadata.tableUuid, location: metadata.location, subject: caller.actor.id };
  const ticket = () => printStagingTicket(staged, icecore.stagingSecret, nowMs(icecore.clock));
  const { config, storageCredentials } = await extrasOf(request, identifier, async () => metadata, ticket);
  const credentials = storageCredentials.length === 0 ? {} : { 'storage-credentials': storageCredentials };
  return jsonAnswer({ metadata: metadataJson(metadata), config, ...credentials });
}

async function registerTable(request: IcebergRequest): Promise<IcebergAnswer> {
  const body = await request.json();
  const identifier = { namespace: namespaceOf(request), name: member(body, 'name', asString, where) };
  const metadataLocation = member(body, 'metadata-location', asString, where);
  const overwrites = optionalMember(body, 'overwrite', asBoolean, where) ?? false;
  const { catalogTables } = request.icecore;
  return await tableAnswer(
    request,
    await catalogTables.register(request.call(body), identifier, { metadataLocation, overwrites }),
  );
}

async function loadTable(request: IcebergRequest): Promise<IcebergAnswer> {
  const { headers, icecore, caller, loads, takesGzip } = request;
  const mode = snapshotModeOf(request.query.get('snapshots'));
  const identifier = tableOf(request);
  const pointer = await icecore.catalogTables.pointer(caller, identifier);
  const extras = await extrasOf(request, identifier, () => icecore.tables.files.metadata(pointer.metadataLocation));
  return await loads.answer(pointer, { mode, extras, takesGzip, known: headers['if-none-match'] });
}

async function tableExists(request: IcebergRequest): Promise<IcebergAnswer> {
  await request.icecore.catalogTables.pointer(request.caller, tableOf(request));
  return noContent;
}

async function dropTable(request: IcebergRequest): Promise<IcebergAnswer> {
  const purge = request.query.get('purgeRequested')?.toLowerCase() === 'true';
  await request.icecore.catalogTables.drop(request.call(null), tableOf(request), purge);
  return noContent;
}

async function renameTable(request: IcebergRequest): Promise<IcebergAnswer> {
  const body = await request.json();
  const from = member(body, 'source', asIdentifier, where);
  const to = member(body, 'destination', asIdentifier, where);
  await request.icecore.catalogTables.rename(request.call(body), from, to);
  return noContent;
}

/** A table after a change of it, as the specification's `LoadTableResult`. */
export async function tableAnswer(request: IcebergRequest, table: Table): Promise<IcebergAnswer> {
  const extras = await extrasOf(request, table.identifier, async () => table.metadata);
  return await request.loads.committed(table, { extras, takesGzip: request.takesGzip });
}

/** Reads a `TableIdentifier` of the specification. */
export function asIdentifier(json: unknown, at: string): TableIdentifier {
  const object = asObject(json, at);
  return { namespace: member(object, 'namespace', asArrayOf(asString), at), name: member(object, 'name', asString, at) };
}

function definitionOf(body: JsonObject): NewCatalogTable {
  return {
    schema: member(body, 'schema', parseSchema, where),
    partitionSpec: optionalMember(body, 'partition-spec', parsePartitionSpec, where),
    sortOrder: optionalMember(body, 'write-order', parseSortOrder, where),
    properties: optionalMember(body, 'properties', asRecordOf(asString), where) ?? {},
    location: optionalMember(body, 'location', asString, where),
  };
}

function snapshotModeOf(text: string | null): SnapshotMode {
  const mode = text?.toLowerCase() ?? 'all';
  if (mode === 'all' || mode === 'refs') return mode;
  throw new IcecoreError('BAD_USER_INPUT', `snapshots is "${text}"; it takes all or refs.`);
}
