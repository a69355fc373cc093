import type { Access } from '../access/access.ts';
import type { Call } from '../access/call.ts';
import type { Caller } from '../access/caller.ts';
import { requireRole } from '../access/role.ts';
import type { Audit } from '../audit/audit.ts';
import type { Catalog, Namespace, NamespaceChange } from '../catalog/catalog.ts';
import type { Clock } from '../clock.ts';
import { IcecoreError } from '../errors.ts';
import { printNamespace } from '../iceberg/identifier.ts';
import { once } from '../ledger/once.ts';
import { namespacePropertiesBytesMax } from '../limits.ts';
import { requireNamespaceWrite } from '../tables/write-access.ts';
import { newNamespace, writableNamespace } from './names.ts';
import { namespaceExists, noSuchNamespace } from './refusal.ts';

export interface NamespacesOptions {
  readonly catalog: Catalog;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly access: Access;
}

/** Names of properties, as the REST specification's `UpdateNamespacePropertiesResponse` tells them. */
export interface PropertiesChanged {
  readonly updated: readonly string[];
  readonly removed: readonly string[];
  /** Those that were to be removed, and were not set. */
  readonly missing: readonly string[];
}

type Properties = Readonly<Record<string, string>>;

/** Namespaces as engines see them: each change with its audit entry. */
export class Namespaces {
  readonly #options: NamespacesOptions;

  constructor(options: NamespacesOptions) {
    this.#options = options;
  }

  /** Those directly below `parent` (`[]` for the top), by printed name, after `after`. Throws NOT_FOUND where there is no parent. */
  async list(
    caller: Caller,
    options: { readonly parent: readonly string[]; readonly after?: string | undefined; readonly limit: number },
  ): Promise<readonly Namespace[]> {
    requireRole(caller, 'viewer', 'list namespaces');
    const { parent, after, limit } = options;
    const found = await this.#options.catalog.listNamespaces({ parent, limit, ...(after === undefined ? {} : { after }) });
    if (found.length === 0 && parent.length > 0) await this.load(caller, parent);
    return found;
  }

  /** Throws NOT_FOUND. */
  async load(caller: Caller, parts: readonly string[]): Promise<Namespace> {
    requireRole(caller, 'viewer', 'read namespaces');
    const namespace = await this.#options.catalog.loadNamespace(parts);
    if (namespace === null) throw noSuchNamespace(parts);
    return namespace;
  }

  /** Throws ALREADY_EXISTS, BAD_USER_INPUT, FORBIDDEN. Namespaces above it come into being with it. */
  async create(call: Call, parts: readonly string[], properties: Properties): Promise<Namespace> {
    requireRole(call.caller, 'scientist', 'create namespaces');
    const namespace: Namespace = { parts: newNamespace(parts), properties: bounded(properties) };
    requireNamespaceWrite(this.#options.access, parts, 'create the namespace');
    await this.#commit(call, 'createNamespace', { kind: 'create', namespace }, {});
    return namespace;
  }

  /** Throws NOT_FOUND, FORBIDDEN, and FAILED_PRECONDITION (`notEmpty`) where it holds anything. */
  async drop(call: Call, parts: readonly string[]): Promise<void> {
    requireRole(call.caller, 'admin', 'drop namespaces');
    this.#requireWrite(writableNamespace(parts), 'drop the namespace');
    await this.#commit(call, 'dropNamespace', { kind: 'drop', parts: writableNamespace(parts) }, {});
  }

  /** Throws NOT_FOUND, FORBIDDEN, and BAD_USER_INPUT (`unprocessable`) where a property is both set and removed. */
  async update(
    call: Call,
    parts: readonly string[],
    { updates, removals }: { readonly updates: Properties; readonly removals: readonly string[] },
  ): Promise<PropertiesChanged> {
    requireRole(call.caller, 'scientist', 'change the properties of namespaces');
    checkDisjoint(updates, removals);
    this.#requireWrite(writableNamespace(parts), 'change the properties of the namespace');
    const { properties } = await this.load(call.caller, writableNamespace(parts));
    bounded({ ...properties, ...updates });
    const remove = [...new Set(removals)];
    const answer: PropertiesChanged = {
      updated: Object.keys(updates),
      removed: remove.filter((name) => Object.hasOwn(properties, name)),
      missing: remove.filter((name) => !Object.hasOwn(properties, name)),
    };
    return await this.#commit(call, 'updateProperties', { kind: 'update', parts, set: updates, remove }, answer);
  }

  /** Throws NOT_FOUND where it does not show, FORBIDDEN where it does and may not be changed. */
  #requireWrite(parts: readonly string[], action: string): void {
    if (!this.#options.access.mayReadNamespace(parts)) throw noSuchNamespace(parts);
    requireNamespaceWrite(this.#options.access, parts, action);
  }

  /** The change with its audit entry and its claim on the idempotency key. Gives the answer; of a repeated call, the first one. */
  async #commit<Answer>(call: Call, action: string, change: NamespaceChange, answer: Answer): Promise<Answer> {
    const { catalog, audit } = this.#options;
    const { caller } = call;
    const parts = change.kind === 'create' ? change.namespace.parts : change.parts;
    return await once(this.#options, { ...call, mutation: action }, async (claim) => {
      const subject = `namespace/${printNamespace(parts)}`;
      const link = audit.link({ caller, action, subject, outcome: 'SUCCEEDED', payload: { name: parts, ...answer } });
      const idempotency = claim(answer);
      try {
        await catalog.commit({ namespaces: [change], links: [link], claims: idempotency === null ? [] : [idempotency] });
      } catch (error) {
        throw inReferenceWords(error, parts);
      }
      return answer;
    });
  }
}

function inReferenceWords(error: unknown, parts: readonly string[]): unknown {
  if (!IcecoreError.is(error)) return error;
  const { code, context } = error;
  if (code === 'ALREADY_EXISTS') return namespaceExists(parts);
  if (code === 'NOT_FOUND') return noSuchNamespace(parts);
  if (context.notEmpty !== true) return error;
  return new IcecoreError('FAILED_PRECONDITION', `Namespace ${parts.join('.')} is not empty. ${error.message}`, { context });
}

function checkDisjoint(updates: Properties, removals: readonly string[]): void {
  const both = removals.filter((name) => Object.hasOwn(updates, name));
  if (both.length === 0) return;
  throw new IcecoreError(
    'BAD_USER_INPUT',
    `Invalid namespace update, cannot simultaneously set and remove keys: ${both.slice(0, 10).join(', ')}`,
    { context: { unprocessable: true } },
  );
}

function bounded(properties: Properties): Properties {
  const bytes = Buffer.byteLength(JSON.stringify(properties));
  if (bytes <= namespacePropertiesBytesMax) return properties;
  throw new IcecoreError(
    'BAD_USER_INPUT',
    `The properties of a namespace take ${bytes} bytes, and may take ${namespacePropertiesBytesMax}: keep large things in a table.`,
  );
}
