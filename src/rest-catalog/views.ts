import type { Access } from '../access/access.ts';
import type { Call } from '../access/call.ts';
import type { Caller } from '../access/caller.ts';
import { requireRole } from '../access/role.ts';
import type { Audit } from '../audit/audit.ts';
import { viewSubject } from '../audit/subject.ts';
import type { Catalog, ViewPointer } from '../catalog/catalog.ts';
import type { Clock } from '../clock.ts';
import { IcecoreError } from '../errors.ts';
import type { TableIdentifier } from '../iceberg/identifier.ts';
import type { ViewRequirement, ViewUpdate } from '../iceberg/view-update.ts';
import { once } from '../ledger/once.ts';
import { requireCreate } from '../tables/write-access.ts';
import type { View } from '../views/view.ts';
import type { ViewDefinition, ViewRecord, Views } from '../views/views.ts';
import { newIdentifier, writable } from './names.ts';
import { noSuchNamespace, noSuchView, plainName, tableHasName, viewExists } from './refusal.ts';

export interface ViewOperationsOptions {
  readonly catalog: Catalog;
  readonly views: Views;
  readonly audit: Audit;
  readonly clock: Clock;
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
  async create(call: Call, identifier: TableIdentifier, definition: ViewDefinition): Promise<View> {
    requireRole(call.caller, 'scientist', 'create views');
    requireCreate(this.#options.access, newIdentifier(identifier), 'create the view');
    const unknown = definition.version.representations.flatMap((each) => (each.type === 'other' ? String(each.json.type) : []));
    if (unknown.length > 0) {
      throw new IcecoreError('BAD_USER_INPUT', `Found unsupported view representations: [${unknown.join(', ')}]`);
    }
    const { views } = this.#options;
    const payload = { name: plainName(identifier) };
    return await this.#change(call, 'createView', identifier, payload, (record) => views.create(identifier, definition, record));
  }

  /** A view from a metadata file that is there already. Throws as `create`, and NOT_FOUND where the file is missing. */
  async register(call: Call, identifier: TableIdentifier, metadataLocation: string): Promise<View> {
    requireRole(call.caller, 'scientist', 'register views');
    requireCreate(this.#options.access, newIdentifier(identifier), 'register the view');
    const { views } = this.#options;
    const payload = { name: plainName(identifier), metadataLocation };
    return await this.#change(call, 'registerView', identifier, payload, (record) =>
      views.register(identifier, metadataLocation, record),
    );
  }

  /** Throws NOT_FOUND, CONFLICT where a requirement does not hold, BAD_USER_INPUT, FORBIDDEN. */
  async replace(
    call: Call,
    identifier: TableIdentifier,
    { requirements, updates }: { readonly requirements: readonly ViewRequirement[]; readonly updates: readonly ViewUpdate[] },
  ): Promise<View> {
    requireRole(call.caller, 'scientist', 'replace views');
    this.#requireWrite(identifier, 'replace the view');
    const { views } = this.#options;
    const payload = { name: plainName(identifier), updates: updates.map(({ action }) => action) };
    return await this.#change(call, 'replaceView', identifier, payload, (record) =>
      views.replace(identifier, requirements, updates, record),
    );
  }

  /** Throws NOT_FOUND, FORBIDDEN. */
  async drop(call: Call, identifier: TableIdentifier): Promise<void> {
    requireRole(call.caller, 'admin', 'drop views');
    this.#requireWrite(identifier, 'drop the view');
    const payload = { name: plainName(identifier) };
    await this.#once(call, 'dropView', payload, (record) =>
      inWords(identifier, () => this.#options.views.drop(identifier, record)),
    );
  }

  /** Throws NOT_FOUND for the view or the new namespace, ALREADY_EXISTS where the new name is taken, BAD_USER_INPUT, FORBIDDEN. */
  async rename(call: Call, from: TableIdentifier, to: TableIdentifier): Promise<void> {
    requireRole(call.caller, 'scientist', 'rename views');
    this.#requireWrite(from, 'rename the view');
    requireCreate(this.#options.access, newIdentifier(to), 'create the view');
    await this.#once(call, 'renameView', { from: plainName(from), to: plainName(to) }, async (record) => {
      try {
        await this.#options.views.rename(from, to, record);
      } catch (error) {
        throw renameRefused(error, from, to);
      }
    });
  }

  /** A view that may not be read is not there, and is told so by the catalog. */
  #requireWrite(identifier: TableIdentifier, action: string): void {
    const { access } = this.#options;
    if (access.mayRead(writable(identifier))) requireCreate(access, identifier, action);
  }

  /** The view that was made; that there is now, where the same call made it before. */
  async #change(
    call: Call,
    action: string,
    identifier: TableIdentifier,
    payload: unknown,
    work: (record: ViewRecord) => Promise<View>,
  ): Promise<View> {
    let made: View | null = null;
    await this.#once(call, action, payload, async (record) => {
      made = await inWords(identifier, () => work(record));
    });
    return made ?? (await this.load(call.caller, identifier));
  }

  /** Each change is committed with its audit entry and its claim on the idempotency key. */
  async #once(call: Call, action: string, payload: unknown, work: (record: ViewRecord) => Promise<void>): Promise<void> {
    const { audit } = this.#options;
    await once(this.#options, { ...call, mutation: action }, async (claim) => {
      await work(({ uuid, versionId }) => {
        const subject = viewSubject(uuid, versionId);
        const idempotency = claim({});
        return {
          links: [audit.link({ caller: call.caller, action, subject, outcome: 'SUCCEEDED', payload })],
          claims: idempotency === null ? [] : [idempotency],
        };
      });
      return {};
    });
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
