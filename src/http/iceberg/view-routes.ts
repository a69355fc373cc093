import { printIdentifier, printNamespace } from '../../iceberg/identifier.ts';
import { asArrayOf, asRecordOf, asString, member, optionalMember } from '../../iceberg/json-member.ts';
import { parseSchema } from '../../iceberg/schema-json.ts';
import { parseViewVersion, viewMetadataJson } from '../../iceberg/view-json.ts';
import { parseViewRequirement, parseViewUpdate } from '../../iceberg/view-update-json.ts';
import type { View } from '../../views/view.ts';
import { type IcebergAnswer, jsonAnswer, noContent } from './answer.ts';
import { listBody } from './page.ts';
import { namespaceOf, viewOf } from './path-names.ts';
import type { IcebergRequest, Route } from './route.ts';
import { asIdentifier } from './table-routes.ts';

const viewsPath = '/v1/{prefix}/namespaces/{namespace}/views';
const viewPath = `${viewsPath}/{view}`;

/** The specification's operations on views. */
export const viewRoutes: readonly Route[] = [
  { operation: 'listViews', method: 'GET', path: viewsPath, answer: listViews },
  { operation: 'createView', method: 'POST', path: viewsPath, answer: createView },
  { operation: 'loadView', method: 'GET', path: viewPath, answer: loadView },
  { operation: 'viewExists', method: 'HEAD', path: viewPath, answer: viewExists },
  { operation: 'replaceView', method: 'POST', path: viewPath, answer: replaceView },
  { operation: 'dropView', method: 'DELETE', path: viewPath, answer: dropView },
  { operation: 'renameView', method: 'POST', path: '/v1/{prefix}/views/rename', answer: renameView },
  {
    operation: 'registerView',
    method: 'POST',
    path: '/v1/{prefix}/namespaces/{namespace}/register-view',
    answer: registerView,
  },
];

async function listViews(request: IcebergRequest): Promise<IcebergAnswer> {
  const { icecore, caller, query } = request;
  const namespace = namespaceOf(request);
  const body = listBody(query, {
    member: 'identifiers',
    scope: `views ${printNamespace(namespace)}`,
    read: (after, limit) => icecore.viewOperations.list(caller, { namespace, after, limit }),
    keyOf: ({ identifier }) => printIdentifier(identifier),
    print: ({ identifier }) => identifier,
  });
  return { status: 200, body };
}

async function createView(request: IcebergRequest): Promise<IcebergAnswer> {
  const at = 'the request';
  const body = await request.json();
  const identifier = { namespace: namespaceOf(request), name: member(body, 'name', asString, at) };
  const location = optionalMember(body, 'location', asString, at);
  return viewAnswer(
    await request.icecore.viewOperations.create(request.call(body), identifier, {
      schema: member(body, 'schema', parseSchema, at),
      version: member(body, 'view-version', parseViewVersion, at),
      properties: optionalMember(body, 'properties', asRecordOf(asString), at) ?? {},
      ...(location === undefined ? {} : { location }),
    }),
  );
}

async function registerView(request: IcebergRequest): Promise<IcebergAnswer> {
  const at = 'the request';
  const body = await request.json();
  const identifier = { namespace: namespaceOf(request), name: member(body, 'name', asString, at) };
  const metadataLocation = member(body, 'metadata-location', asString, at);
  return viewAnswer(await request.icecore.viewOperations.register(request.call(body), identifier, metadataLocation));
}

async function loadView(request: IcebergRequest): Promise<IcebergAnswer> {
  return viewAnswer(await request.icecore.viewOperations.load(request.caller, viewOf(request)));
}

async function viewExists(request: IcebergRequest): Promise<IcebergAnswer> {
  await request.icecore.viewOperations.requireExisting(request.caller, viewOf(request));
  return noContent;
}

async function replaceView(request: IcebergRequest): Promise<IcebergAnswer> {
  const at = 'the request';
  const body = await request.json();
  const requirements = optionalMember(body, 'requirements', asArrayOf(parseViewRequirement), at) ?? [];
  const updates = member(body, 'updates', asArrayOf(parseViewUpdate), at);
  return viewAnswer(await request.icecore.viewOperations.replace(request.call(body), viewOf(request), { requirements, updates }));
}

async function dropView(request: IcebergRequest): Promise<IcebergAnswer> {
  await request.icecore.viewOperations.drop(request.call(null), viewOf(request));
  return noContent;
}

async function renameView(request: IcebergRequest): Promise<IcebergAnswer> {
  const at = 'the request';
  const body = await request.json();
  const from = member(body, 'source', asIdentifier, at);
  const to = member(body, 'destination', asIdentifier, at);
  await request.icecore.viewOperations.rename(request.call(body), from, to);
  return noContent;
}

/** The specification's `LoadViewResult`. */
export function viewAnswer({ metadata, metadataLocation }: View): IcebergAnswer {
  return jsonAnswer({ 'metadata-location': metadataLocation, metadata: viewMetadataJson(metadata), config: {} });
}
