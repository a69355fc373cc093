import type { Namespace } from '../../catalog/catalog.ts';
import { printNamespace } from '../../iceberg/identifier.ts';
import { asArrayOf, asRecordOf, asString, member, optionalMember } from '../../iceberg/json-member.ts';
import { namespaceLocation } from '../../tables/table-location.ts';
import { type IcebergAnswer, jsonAnswer, noContent } from './answer.ts';
import { listBody } from './page.ts';
import { namespaceOf, parseNamespace } from './path-names.ts';
import type { IcebergRequest, Route } from './route.ts';

const where = 'the request';
const one = '/v1/{prefix}/namespaces/{namespace}';

/** Namespaces and their properties (REST specification: "Catalog API", namespaces). */
export const namespaceRoutes: readonly Route[] = [
  { operation: 'listNamespaces', method: 'GET', path: '/v1/{prefix}/namespaces', answer: listNamespaces },
  { operation: 'createNamespace', method: 'POST', path: '/v1/{prefix}/namespaces', answer: createNamespace },
  { operation: 'loadNamespaceMetadata', method: 'GET', path: one, answer: loadNamespace },
  { operation: 'namespaceExists', method: 'HEAD', path: one, answer: namespaceExists },
  { operation: 'dropNamespace', method: 'DELETE', path: one, answer: dropNamespace },
  { operation: 'updateProperties', method: 'POST', path: `${one}/properties`, answer: updateProperties },
];

async function listNamespaces({ icecore, caller, query }: IcebergRequest): Promise<IcebergAnswer> {
  const text = query.get('parent') ?? '';
  const parent = text === '' ? [] : parseNamespace(text);
  const body = listBody<Namespace>(query, {
    member: 'namespaces',
    scope: `namespaces ${printNamespace(parent)}`,
    read: (after, limit) => icecore.namespaces.list(caller, { parent, after, limit }),
    keyOf: ({ parts }) => printNamespace(parts),
    print: ({ parts }) => parts,
  });
  return { status: 200, body };
}

async function createNamespace(request: IcebergRequest): Promise<IcebergAnswer> {
  const body = await request.json();
  const parts = member(body, 'namespace', asArrayOf(asString), where);
  const properties = optionalMember(body, 'properties', asRecordOf(asString), where) ?? {};
  return namespaceAnswer(await request.icecore.namespaces.create(request.call(body), parts, properties));
}

/** With a `location` where none is set, as the reference gives it: Trino makes no table in a namespace without. */
async function loadNamespace(request: IcebergRequest): Promise<IcebergAnswer> {
  const { parts, properties } = await request.icecore.namespaces.load(request.caller, namespaceOf(request));
  const location = namespaceLocation(request.icecore.tables.warehouse, parts);
  return namespaceAnswer({ parts, properties: { location, ...properties } });
}

async function namespaceExists(request: IcebergRequest): Promise<IcebergAnswer> {
  await request.icecore.namespaces.load(request.caller, namespaceOf(request));
  return noContent;
}

async function dropNamespace(request: IcebergRequest): Promise<IcebergAnswer> {
  await request.icecore.namespaces.drop(request.call(null), namespaceOf(request));
  return noContent;
}

async function updateProperties(request: IcebergRequest): Promise<IcebergAnswer> {
  const body = await request.json();
  const removals = optionalMember(body, 'removals', asArrayOf(asString), where) ?? [];
  const updates = optionalMember(body, 'updates', asRecordOf(asString), where) ?? {};
  return jsonAnswer(await request.icecore.namespaces.update(request.call(body), namespaceOf(request), { updates, removals }));
}

/** The specification's `GetNamespaceResponse`. */
export function namespaceAnswer({ parts, properties }: Namespace): IcebergAnswer {
  return jsonAnswer({ namespace: parts, properties });
}
