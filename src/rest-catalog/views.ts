import type { Access } from '../access/access.ts';
import type { Caller } from '../access/caller.ts';
import { requireRole } from '../access/role.ts';
import type { Audit } from '../audit/audit.ts';
import { viewSubject } from '../audit/subject.ts';
import type { Catalog, ViewPointer } from '../catalog/catalog.ts';
import { IcecoreError } from '../errors.ts';
import type { TableIdentifier } from '../iceberg/identifier.ts';
import type { ViewRequirement, ViewUpdate } from '../iceberg/view-update.ts';
import { requireCreate } from '../tables/write-access.ts';
import type { View } from '../views/view.ts';
import type { ViewDefinition, ViewLink, Views } from '../views/views.ts';
import { newIdentifier, writable } from './names.ts';
import { noSuchNamespace, noSuchView, plainName, tableHasName, viewExists } from './refusal.ts';

export interface ViewOperationsOptions {
  readonly catalog: Catalog;
  readonly views: Views;
  readonly audit: Audit;
  readonly access: Access;
}

/** Views as engines see them: each change with its audit entry, and refusals in the reference implementation's words. */
export class ViewOperations {
  readonly #options: ViewOperationsOptions;

  constructor(options: ViewOperationsOptions) {
    this.#options = options;
  }

  /** Those directly in the namespace, by printed name, after `after`. Throws NOT_FOUND where there is no such namespace. */
  async list(
    caller: Caller,
    options: { readonly namespace: readonly string[]; readonly after?: string | undefined; readonly limit: number },
  ): Promise<readonly ViewPointer[]> {
    requireRole(caller, 'viewer', 'list views');
    const { namespace, after, limit } = options;
    const { catalog } = this.#options;
    const found = await catalog.listViews({ namespace, limit, ...(after === undefined ? {} : { after }) });
    if (found.length === 0 && (await catalog.loadNamespace(namespace)) === null) throw noSuchNamespace(namespace);
    return found;
  }

  /** Throws NOT_FOUND. */
  async load(caller: Caller, identifier: TableIdentifier): Promise<View> {
    requireRole(caller, 'viewer', 'read views');
    return await inWords(identifier, () => this.#options.views.load(identifier));
  }

  /** Throws NOT_FOUND where there is no such view; its metadata is not read. */
  async requireExisting(caller: Caller, identifier: TableIdentifier): Promise<void> {
    requireRole(caller, 'viewer', 'read views');
    await inWords(identifier, () => this.#options.views.pointer(identifier));
  }

  /** Throws ALREADY_EXISTS, NOT_FOUND without the namespace, BAD_USER_INPUT, FORBIDDEN. */
  async create(caller: Caller, identifier: TableIdentifier, definition: ViewDefinition): Promise<View> {
    requireRole(caller, 'scientist', 'create views');
    requireCreate(this.#options.access, newIdentifier(identifier), 'create the view');
    const unknown = definition.version.representations.flatMap((each) => (each.type === 'other' ? String(each.json.type) : []));
    if (unknown.length > 0) {
      throw new IcecoreError('BAD_USER_INPUT', `Found unsupported view representations: [${unknown.join(', ')}]`);
    }
    const link = this.#link(caller, 'createView', { name: plainName(identifier) });
    return await inWords(identifier, () => this.#options.views.create(identifier, definition, link));
  }

  /** A view from a metadata file that is there already. Throws as `create`, and NOT_FOUND where the file is missing. */
  async register(caller: Caller, identifier: TableIdentifier, metadataLocation: string): Promise<View> {
    requireRole(caller, 'scientist', 'register views');
    requireCreate(this.#options.access, newIdentifier(identifier), 'register the view');
    const link = this.#link(caller, 'registerView', { name: plainName(identifier), metadataLocation });
    return await inWords(identifier, () => this.#options.views.register(identifier, metadataLocation, link));
  }

  /** Throws NOT_FOUND, CONFLICT where a requirement does not hold, BAD_USER_INPUT, FORBIDDEN. */
  async replace(
    caller: Caller,
    identifier: TableIdentifier,
    { requirements, updates }: { readonly requirements: readonly ViewRequirement[]; readonly updates: readonly ViewUpdate[] },
  ): Promise<View> {
    requireRole(caller, 'scientist', 'replace views');
    this.#requireWrite(identifier, 'replace the view');
    const actions = updates.map(({ action }) => action);
    const link = this.#link(caller, 'replaceView', { name: plainName(identifier), updates: actions });
    return await inWords(identifier, () => this.#options.views.replace(identifier, requirements, updates, link));
  }

  /** Throws NOT_FOUND, FORBIDDEN. */
  async drop(caller: Caller, identifier: TableIdentifier): Promise<void> {
    requireRole(caller, 'admin', 'drop views');
    this.#requireWrite(identifier, 'drop the view');
    const link = this.#link(caller, 'dropView', { name: plainName(identifier) });
    await inWords(identifier, () => this.#options.views.drop(identifier, link));
  }

  /** Throws NOT_FOUND for the view or the new namespace, ALREADY_EXISTS where the new name is taken, BAD_USER_INPUT, FORBIDDEN. */
  async rename(caller: Caller, from: TableIdentifier, to: TableIdentifier): Promise<void> {
    requireRole(caller, 'scientist', 'rename views');
    this.#requireWrite(from, 'rename the view');
    requireCreate(this.#options.access, newIdentifier(to), 'create the view');
    const link = this.#link(caller, 'renameView', { from: plainName(from), to: plainName(to) });
    try {
      await this.#options.views.rename(from, to, link);
    } catch (error) {
      throw renameRefused(error, from, to);
    }
  }

  /** A view that may not be read is not there, and is told so by the catalog. */
  #requireWrite(identifier: TableIdentifier, action: string): void {
    const { access } = this.#options;
    if (access.mayRead(writable(identifier))) requireCreate(access, identifier, action);
  }

  #link(caller: Caller, action: string, payload: unknown): ViewLink {
    const { audit } = this.#options;
    return ({ uuid, versionId }) =>
      audit.link({ caller, action, subject: viewSubject(uuid, versionId), outcome: 'SUCCEEDED', payload });
  }
}

async function inWords<Result>(identifier: TableIdentifier, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!IcecoreError.is(error)) throw error;
    const { missing, exists } = error.context;
    if (missing === 'view') throw noSuchView(identifier);
    if (missing === 'namespace') throw noSuchNamespace(identifier.namespace);
    if (exists === 'view') throw viewExists(identifier);
    if (exists === 'table') throw tableHasName(identifier);
    throw error;
  }
}

function renameRefused(error: unknown, from: TableIdentifier, to: TableIdentifier): unknown {
  if (!IcecoreError.is(error)) return error;
  const { missing, exists } = error.context;
  if (missing === 'view') return noSuchView(from);
  if (missing === 'namespace') return noSuchNamespace(to.namespace);
  if (exists !== 'view' && exists !== 'table') return error;
  const what = exists === 'view' ? 'View' : 'Table';
  return new IcecoreError('ALREADY_EXISTS', `Cannot rename ${plainName(from)} to ${plainName(to)}. ${what} already exists`, {
    context: error.context,
  });
}
