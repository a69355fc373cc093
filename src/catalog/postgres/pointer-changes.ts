import { printIdentifier } from '../../iceberg/identifier.ts';
import type { CatalogChange, PointerChange, TablePointer } from '../catalog.ts';
import { nameTaken, type PointerKind, pointerMoved, uuidTaken } from '../refusals.ts';
import { text } from '../row.ts';
import type { NamespaceChanges } from './namespace-changes.ts';
import { pointerColumns, pointerOf } from './pointers.ts';
import { StagedRows } from './staged-rows.ts';
import type { Writer } from './writer.ts';

export interface KindedPointer extends TablePointer {
  readonly kind: PointerKind;
}

const kinds = ['table', 'view'] as const;

/** What a batch does to pointers of tables and views. */
export class PointerChanges {
  readonly #rows = new StagedRows<KindedPointer>();
  /** The printed names by uuid. */
  readonly #uuids = new StagedRows<string>();

  /** Reads all that the changes name, and something of what the namespaces hold that they drop. */
  async read(writer: Writer, changes: readonly CatalogChange[]): Promise<void> {
    const pointers = changes.flatMap((change) => [...(change.pointers ?? []), ...(change.views ?? [])]);
    const dropped = changes.flatMap((change) => (change.namespaces ?? []).filter(({ kind }) => kind === 'drop'));
    const names = pointers.map(({ identifier }) => printIdentifier(identifier));
    const uuids = pointers.flatMap((change) => (change.kind === 'create' ? change.uuid : []));
    const byName = `SELECT ${pointerColumns} FROM icecore.pointers WHERE printed = ANY($1)`;
    const byUuid = `SELECT ${pointerColumns} FROM icecore.pointers WHERE uuid = ANY($1)`;
    // Enough of each namespace that one is left after all that the batch takes away.
    const held = `SELECT held.* FROM unnest($1::text[]) AS dropped (parts) CROSS JOIN LATERAL
      (SELECT ${pointerColumns} FROM icecore.pointers WHERE namespace = dropped.parts LIMIT $2) AS held`;
    const taken = pointers.length + 1;
    const read = await Promise.all([
      names.length === 0 ? null : writer.query(byName, [[...new Set(names)]]),
      uuids.length === 0 ? null : writer.query(byUuid, [[...new Set(uuids)]]),
      dropped.length === 0
        ? null
        : writer.query(held, [dropped.map((drop) => JSON.stringify('parts' in drop ? drop.parts : [])), taken]),
    ]);
    for (const row of read.flatMap((result) => result?.rows ?? [])) {
      const printed = text(row, 'printed');
      this.#rows.found(printed, { ...pointerOf(row), kind: text(row, 'kind') === 'view' ? 'view' : 'table' });
      this.#uuids.found(text(row, 'uuid'), printed);
    }
  }

  /** Drops come first, so that one change may rename a table, put another in its place, or a view. Throws ALREADY_EXISTS, CONFLICT, NOT_FOUND. */
  apply(changes: Readonly<Record<PointerKind, readonly PointerChange[]>>, namespaces: NamespaceChanges): void {
    for (const kind of kinds) {
      for (const change of changes[kind]) if (change.kind === 'drop') this.#drop(kind, change);
    }
    for (const kind of kinds) {
      for (const change of changes[kind]) {
        if (change.kind === 'create') this.#create(kind, change, namespaces);
        if (change.kind === 'swap') this.#swap(kind, change);
      }
    }
  }

  /** A table or a view in this namespace, such as `table raw.flights`; null where it holds none. */
  heldBy(parts: readonly string[]): string | null {
    const key = JSON.stringify(parts);
    const row = this.#rows.find(({ identifier }) => JSON.stringify(identifier.namespace) === key);
    return row === null ? null : `${row.kind} ${printIdentifier(row.identifier)}`;
  }

  keep(): void {
    this.#rows.keep();
    this.#uuids.keep();
  }

  discard(): void {
    this.#rows.discard();
    this.#uuids.discard();
  }

  write(writer: Writer): readonly Promise<unknown>[] {
    const gone: string[] = [];
    const changed: (readonly [string, KindedPointer])[] = [];
    for (const { key, before, after } of this.#rows.changes()) {
      // A uuid may go from one name to another, so what loses its uuid goes before anything gets one.
      if (before !== null && (before.uuid !== after?.uuid || before.kind !== after.kind)) gone.push(key);
      if (after !== null) changed.push([key, after]);
    }
    const sent: Promise<unknown>[] = [];
    if (gone.length > 0) sent.push(writer.query('DELETE FROM icecore.pointers WHERE printed = ANY($1)', [gone]));
    if (changed.length > 0) {
      const sql = `INSERT INTO icecore.pointers (${pointerColumns})
        SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
        ON CONFLICT (printed) DO UPDATE SET metadata_location = excluded.metadata_location`;
      const columns: readonly ((row: KindedPointer) => string)[] = [
        (row) => row.kind,
        (row) => JSON.stringify(row.identifier.namespace),
        (row) => row.identifier.name,
        (row) => row.uuid,
        (row) => row.metadataLocation,
      ];
      const values = columns.map((column) => changed.map(([, row]) => column(row)));
      sent.push(writer.query(sql, [changed.map(([printed]) => printed), ...values]));
    }
    return sent;
  }

  #create(kind: PointerKind, change: PointerChange & { kind: 'create' }, namespaces: NamespaceChanges): void {
    const { identifier, uuid, to } = change;
    const printed = printIdentifier(identifier);
    if (change.requireNamespace === true) namespaces.require(identifier.namespace);
    else namespaces.ensure(identifier.namespace);
    const sameName = this.#rows.get(printed);
    if (sameName !== null) throw nameTaken(printed, sameName.kind);
    if (this.#uuids.get(uuid) !== null) throw uuidTaken(kind, printed, uuid);
    this.#rows.put(printed, { identifier, uuid, metadataLocation: to, kind });
    this.#uuids.put(uuid, printed);
  }

  #swap(kind: PointerKind, change: PointerChange & { kind: 'swap' }): void {
    const row = this.#require(kind, change);
    this.#rows.put(printIdentifier(change.identifier), { ...row, metadataLocation: change.to });
  }

  #drop(kind: PointerKind, change: PointerChange & { kind: 'drop' }): void {
    const row = this.#require(kind, change);
    this.#rows.remove(printIdentifier(change.identifier));
    this.#uuids.remove(row.uuid);
  }

  /** The pointer, where it still is what the change expects. */
  #require(kind: PointerKind, change: PointerChange & { kind: 'swap' | 'drop' }): KindedPointer {
    const row = this.#rows.get(printIdentifier(change.identifier));
    const found = row?.kind === kind ? row : null;
    if (found === null || found.uuid !== change.uuid || found.metadataLocation !== change.from) {
      throw pointerMoved(kind, change, found);
    }
    return found;
  }
}
