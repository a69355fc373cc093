import { printNamespace } from '../../iceberg/identifier.ts';
import type { CatalogChange, Namespace, NamespaceChange, PointerChange } from '../catalog.ts';
import { namespaceExists, namespaceMissing, namespaceNotEmpty } from '../refusals.ts';
import { text } from '../row.ts';
import { namespaceColumns, namespaceOf } from './namespaces.ts';
import type { PointerChanges } from './pointer-changes.ts';
import { StagedRows } from './staged-rows.ts';
import type { Writer } from './writer.ts';

/** What a batch does to namespaces. Whatever exists has all above it. */
export class NamespaceChanges {
  readonly #rows = new StagedRows<Namespace>();

  /** Reads all that the changes name, all above it, and something of what lies below those that they drop. */
  async read(writer: Writer, changes: readonly CatalogChange[]): Promise<void> {
    const namespaces = changes.flatMap((change) => change.namespaces ?? []);
    const created = changes.flatMap((change) => [...(change.pointers ?? []), ...(change.views ?? [])]).flatMap(namespaceOfCreate);
    const named = new Set([...namespaces.map(partsOf), ...created].flatMap(withAllAbove).map(printNamespace));
    const dropped = namespaces.filter(({ kind }) => kind === 'drop').map((drop) => printNamespace(partsOf(drop)));
    const byName = `SELECT ${namespaceColumns} FROM icecore.namespaces WHERE printed = ANY($1)`;
    // Enough that one is left after all that the batch takes away.
    const below = `SELECT below.* FROM unnest($1::text[]) AS dropped (printed) CROSS JOIN LATERAL
      (SELECT ${namespaceColumns} FROM icecore.namespaces WHERE parent = dropped.printed LIMIT $2) AS below`;
    const read = await Promise.all([
      named.size === 0 ? null : writer.query(byName, [[...named]]),
      dropped.length === 0 ? null : writer.query(below, [dropped, dropped.length + 1]),
    ]);
    for (const row of read.flatMap((result) => result?.rows ?? [])) this.#rows.found(text(row, 'printed'), namespaceOf(row));
  }

  /** In their order. Throws ALREADY_EXISTS, NOT_FOUND, and FAILED_PRECONDITION for a drop of one that holds something. */
  apply(changes: readonly NamespaceChange[], pointers: PointerChanges): void {
    for (const change of changes) {
      if (change.kind === 'create') this.#create(change.namespace);
      if (change.kind === 'update') this.#update(change);
      if (change.kind === 'drop') this.#drop(change.parts, pointers);
    }
  }

  /** Makes the namespace and all above it where they are missing. */
  ensure(parts: readonly string[]): void {
    for (let depth = parts.length; depth > 0; depth -= 1) {
      const above = parts.slice(0, depth);
      if (this.#rows.get(printNamespace(above)) !== null) return;
      this.#rows.put(printNamespace(above), { parts: above, properties: {} });
    }
  }

  /** Throws NOT_FOUND where there is no such namespace. */
  require(parts: readonly string[]): Namespace {
    const found = this.#rows.get(printNamespace(parts));
    if (found === null) throw namespaceMissing(parts);
    return found;
  }

  keep(): void {
    this.#rows.keep();
  }

  discard(): void {
    this.#rows.discard();
  }

  write(writer: Writer): readonly Promise<unknown>[] {
    const gone: string[] = [];
    const changed: Namespace[] = [];
    for (const { key, before, after } of this.#rows.changes()) {
      if (after !== null) changed.push(after);
      else if (before !== null) gone.push(key);
    }
    const sent: Promise<unknown>[] = [];
    if (gone.length > 0) sent.push(writer.query('DELETE FROM icecore.namespaces WHERE printed = ANY($1)', [gone]));
    if (changed.length > 0) {
      const sql = `INSERT INTO icecore.namespaces (${namespaceColumns})
        SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])
        ON CONFLICT (printed) DO UPDATE SET properties = excluded.properties`;
      const columns: readonly ((namespace: Namespace) => string)[] = [
        ({ parts }) => printNamespace(parts),
        ({ parts }) => printNamespace(parts.slice(0, -1)),
        ({ parts }) => JSON.stringify(parts),
        ({ properties }) => JSON.stringify(properties),
      ];
      sent.push(
        writer.query(
          sql,
          columns.map((column) => changed.map(column)),
        ),
      );
    }
    return sent;
  }

  #create(namespace: Namespace): void {
    const printed = printNamespace(namespace.parts);
    if (this.#rows.get(printed) !== null) throw namespaceExists(namespace.parts);
    this.#rows.put(printed, namespace);
    this.ensure(namespace.parts.slice(0, -1));
  }

  #update(change: NamespaceChange & { kind: 'update' }): void {
    const { properties } = this.require(change.parts);
    const removed = new Set(change.remove);
    const kept = Object.entries(properties).filter(([name]) => !removed.has(name));
    const changed = { ...Object.fromEntries(kept), ...change.set };
    this.#rows.put(printNamespace(change.parts), { parts: change.parts, properties: changed });
  }

  #drop(parts: readonly string[], pointers: PointerChanges): void {
    this.require(parts);
    const printed = printNamespace(parts);
    const below = this.#rows.find((row) => row.parts.length > 0 && printNamespace(row.parts.slice(0, -1)) === printed);
    const held = pointers.heldBy(parts) ?? (below === null ? null : `namespace ${printNamespace(below.parts)}`);
    if (held !== null) throw namespaceNotEmpty(parts, held);
    this.#rows.remove(printed);
  }
}

function partsOf(change: NamespaceChange): readonly string[] {
  return change.kind === 'create' ? change.namespace.parts : change.parts;
}

function namespaceOfCreate(change: PointerChange): readonly (readonly string[])[] {
  return change.kind === 'create' ? [change.identifier.namespace] : [];
}

function withAllAbove(parts: readonly string[]): readonly (readonly string[])[] {
  return parts.map((_, index) => parts.slice(0, index + 1));
}
