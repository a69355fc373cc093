import { parseIdentifier, printIdentifier, printNamespace, type TableIdentifier } from '../../iceberg/identifier.ts';
import { asArrayOf, asObject, asRecordOf, asString, member, optionalMember } from '../../iceberg/json-member.ts';
import { foreignLoadsInFlightMax } from '../../limits.ts';
import type { Namespace, TablePointer } from '../catalog.ts';
import type { ForeignClient } from './foreign-client.ts';

/** Which uuid the metadata of a table and of a view names. */
const uuidMembers = { tables: 'table-uuid', views: 'view-uuid' } as const;

/** What a foreign catalog holds, read request by request. */
export class ForeignTables {
  readonly #client: ForeignClient;

  constructor(client: ForeignClient) {
    this.#client = client;
  }

  /** Null where there is none, or it has no metadata file yet. */
  async load(kind: 'tables' | 'views', identifier: TableIdentifier): Promise<TablePointer | null> {
    if (identifier.namespace.length === 0) return null;
    const path = this.#client.objectPath(kind, identifier);
    // The snapshots are read from the metadata file, which is cached; here only which file is current counts.
    const answer = await this.#client.find(path, kind === 'tables' ? { snapshots: 'refs' } : {});
    if (answer === null) return null;
    const metadataLocation = optionalMember(answer, 'metadata-location', asString, path);
    if (metadataLocation === undefined) return null;
    const metadata = member(answer, 'metadata', asObject, path);
    return { identifier, uuid: member(metadata, uuidMembers[kind], asString, path), metadataLocation };
  }

  /** In their order; some at a time. */
  async loadAll(kind: 'tables' | 'views', identifiers: readonly TableIdentifier[]): Promise<readonly (TablePointer | null)[]> {
    return await inTurns(identifiers, (identifier) => this.load(kind, identifier));
  }

  async namespace(parts: readonly string[]): Promise<Namespace | null> {
    if (parts.length === 0) return null;
    const path = this.#client.namespacePath(parts);
    const answer = await this.#client.find(path);
    if (answer === null) return null;
    return { parts, properties: optionalMember(answer, 'properties', asRecordOf(asString), path) ?? {} };
  }

  /** Those directly below, in order of their printed names. */
  async namespacesBelow(parent: readonly string[]): Promise<readonly (readonly string[])[]> {
    const query = parent.length === 0 ? {} : { parent: this.#client.namespaceText(parent) };
    const items = await this.#client.list('/namespaces', 'namespaces', query);
    const found = items.map((item) => asArrayOf(asString)(item, 'the namespaces'));
    const direct = found.filter((parts) => parts.length === parent.length + 1);
    return direct.toSorted((left, right) => compareBytes(printNamespace(left), printNamespace(right)));
  }

  /** The names directly in a namespace, in order of the printed ones. */
  async namesIn(kind: 'tables' | 'views', namespace: readonly string[]): Promise<readonly TableIdentifier[]> {
    if (namespace.length === 0) return [];
    const items = await this.#client.list(`${this.#client.namespacePath(namespace)}/${kind}`, 'identifiers');
    const names = items.map((item) => member(asObject(item, 'the list'), 'name', asString, 'the list'));
    return sorted(names.map((name) => ({ namespace, name })));
  }

  /** The names of all tables at or below a namespace, `[]` for all of them, in order of the printed ones. */
  async tableNames(namespace: readonly string[]): Promise<readonly TableIdentifier[]> {
    const found: TableIdentifier[] = [];
    let level: readonly (readonly string[])[] = [namespace];
    while (level.length > 0) {
      const looked = await inTurns(level, async (parts) => ({
        names: await this.namesIn('tables', parts),
        below: await this.namespacesBelow(parts),
      }));
      for (const { names } of looked) found.push(...names);
      level = looked.flatMap(({ below }) => below);
    }
    return sorted(found);
  }
}

/** Those after `after`, a printed name, and no more than `limit`; `items` are in order. */
export function pageOf<T>(
  items: readonly T[],
  print: (item: T) => string,
  { after, limit }: { readonly after?: string; readonly limit: number },
): readonly T[] {
  const rest = after === undefined ? items : items.filter((item) => compareBytes(print(item), after) > 0);
  return rest.slice(0, limit);
}

function sorted(identifiers: readonly TableIdentifier[]): readonly TableIdentifier[] {
  const printed = identifiers.map(printIdentifier).toSorted(compareBytes);
  return printed.map(parseIdentifier);
}

/** As UTF-8 bytes, which is how every catalog orders names. */
function compareBytes(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}

async function inTurns<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  for (let at = 0; at < items.length; at += foreignLoadsInFlightMax) {
    results.push(...(await Promise.all(items.slice(at, at + foreignLoadsInFlightMax).map(work))));
  }
  return results;
}
