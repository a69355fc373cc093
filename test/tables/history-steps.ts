import { IcecoreError } from '../../src/errors.ts';
import { parseIdentifier } from '../../src/iceberg/identifier.ts';
import type { SnapshotRef } from '../../src/iceberg/snapshot.ts';
import { type ColumnChange, evolveSchema } from '../../src/tables/actions/evolve-schema.ts';
import { rollback } from '../../src/tables/actions/rollback.ts';
import { setPartitioning } from '../../src/tables/actions/set-partitioning.ts';
import { setProperties } from '../../src/tables/actions/set-properties.ts';
import { removeRef, setRef } from '../../src/tables/actions/set-ref.ts';
import { upgradeFormat } from '../../src/tables/actions/upgrade-format.ts';
import { compactTable } from '../../src/tables/compact-table.ts';
import { expireTable } from '../../src/tables/expire-table.ts';
import { overwriteWhere } from '../../src/tables/overwrite-where.ts';
import { rewriteManifests } from '../../src/tables/rewrite-manifests.ts';
import type { TableAction } from '../../src/tables/table-action.ts';
import { writeRows } from '../../src/tables/write-rows.ts';
import { type HistoryModel, type ModelColumn, type ModelRow, type ModelSchema, writtenRow } from './history-model.ts';
import type { Warehouse } from './warehouse.ts';

export const stepKinds = [
  ...['append', 'append', 'append', 'upsert', 'upsert', 'upsert', 'delete', 'delete', 'overwrite', 'overwrite-where'],
  ...[
    'add',
    'add-nested',
    'rename',
    'rename-nested',
    'drop',
    'drop-nested',
    'widen',
    'partition',
    'partition',
    'mode',
    'upgrade',
  ],
  ...['branch', 'tag', 'remove-ref', 'fast-forward', 'rollback', 'compact', 'compact', 'manifests', 'expire'],
] as const;

/** A step is a kind and numbers; what the numbers mean depends on what is there when it is taken. */
export interface Step {
  readonly kind: string;
  readonly a: number;
  readonly ids: readonly number[];
}

const names = ['c', 'd', 'e', 'F g', 'id_bucket'];

/** A table beside its model; each step does the same to both. */
export class History {
  readonly name: string;
  readonly model: HistoryModel;
  readonly #warehouse: Warehouse;

  constructor(warehouse: Warehouse, name: string, model: HistoryModel) {
    this.#warehouse = warehouse;
    this.name = name;
    this.model = model;
  }

  /** Whether anything was done, and to which branch if it made a snapshot. */
  async take(step: Step): Promise<string | null> {
    const branch = pick([...this.model.branches.keys()], step.a) ?? 'main';
    switch (step.kind) {
      case 'append':
      case 'upsert':
      case 'delete':
      case 'overwrite':
        return await this.#write(step, branch);
      case 'overwrite-where':
        return await this.#overwriteWhere(step, branch);
      case 'branch':
      case 'tag':
      case 'remove-ref':
      case 'fast-forward':
      case 'rollback':
        await this.#moveRef(step);
        return null;
      case 'compact':
      case 'manifests':
        return await this.#rewrite(step.kind);
      case 'expire':
        await expireTable(this.#warehouse.tables, { identifier: this.#id, olderThanMs: 4e15, keepLast: 1 + (step.a % 3) });
        this.model.expire(1 + (step.a % 3));
        return null;
      default:
        await this.#evolve(step);
        return null;
    }
  }

  get #id() {
    return parseIdentifier(this.name);
  }

  async #write({ kind, ids, a }: Step, branch: string): Promise<string | null> {
    const { model } = this;
    if (branch !== 'main' && !model.branches.has(branch)) return null;
    const keys = kind === 'append' || kind === 'overwrite' ? ids : [...new Set(ids)];
    const rows = kind === 'delete' ? [] : keys.map((id, index) => model.newRow([...ids.slice(index), a, id, ids.length], id));
    const json = kind === 'delete' ? keys.map((id) => ({ id })) : rows.map((row) => writtenRow(row, model.schema));
    const mode = ({ append: 'APPEND', upsert: 'UPSERT', delete: 'DELETE', overwrite: 'OVERWRITE' } as const)[kind as 'append'];
    const isByKey = kind === 'upsert' || kind === 'delete';
    const before = model.head(branch);
    const stay = kind === 'overwrite' ? [] : isByKey ? before.filter(({ id }) => !keys.includes(id)) : before;
    const { snapshot, rowsAdded, rowsRemoved } = await writeRows(this.#warehouse.tables, {
      identifier: this.#id,
      branch,
      rows: { json },
      mode,
      ...(isByKey ? { keys: ['id'] } : {}),
    });
    same('rowsAdded', rowsAdded, rows.length);
    same('rowsRemoved', rowsRemoved, before.length - stay.length);
    model.commit(branch, snapshot.snapshotId, [...stay, ...rows]);
    return branch;
  }

  async #overwriteWhere({ a, ids }: Step, branch: string): Promise<string> {
    const { model } = this;
    const limit = ids[0] ?? 0;
    const row = a % 2 === 0 ? model.newRow(ids, limit + 1) : null;
    const isHit = ({ id, part }: ModelRow): boolean => id > limit || part === 'p1';
    const where = `id > ${limit} OR part = 'p1'`;
    const stay = model.head(branch).filter((each) => !isHit(each));
    const { snapshot, rowsRemoved } = await overwriteWhere(this.#warehouse.tables, {
      identifier: this.#id,
      branch,
      where,
      ...(row === null ? {} : { rows: { json: [writtenRow(row, model.schema)] } }),
    });
    same('rowsRemoved', rowsRemoved, model.head(branch).length - stay.length);
    model.commit(branch, snapshot.snapshotId, row === null ? stay : [...stay, row]);
    return branch;
  }

  async #rewrite(kind: 'compact' | 'manifests'): Promise<string | null> {
    const work = { identifier: this.#id };
    const { snapshot } =
      kind === 'compact'
        ? await compactTable(this.#warehouse.tables, work)
        : await rewriteManifests(this.#warehouse.tables, work);
    if (snapshot === null) return null;
    this.model.commit('main', snapshot.snapshotId, this.model.head('main'));
    return 'main';
  }

  async #moveRef({ kind, a, ids }: Step): Promise<void> {
    const { model } = this;
    const target = pick([...model.snapshots.keys()], ids[0] ?? 0);
    const name = `${kind === 'tag' ? 't' : 'b'}${a % 2}`;
    const to = (type: SnapshotRef['type'], snapshotId: bigint) => this.#act(setRef(name, { type, snapshotId }));
    if (kind === 'remove-ref') {
      await this.#act(removeRef(name));
      model.branches.delete(name);
      return;
    }
    if (target === undefined) return;
    if (kind === 'rollback') {
      await this.#act(rollback(target));
      model.branches.set('main', target);
    } else if (kind === 'tag') {
      await to('tag', target);
      model.tags.set(name, target);
    } else {
      const snapshotId = kind === 'fast-forward' ? (model.branches.get('main') ?? target) : target;
      await to('branch', snapshotId);
      model.branches.set(name, snapshotId);
    }
  }

  async #evolve({ kind, a, ids }: Step): Promise<void> {
    const change = this.#schemaChange(kind, a, ids);
    if (change !== null) {
      if (await this.#mayAct(evolveSchema([change.change]))) this.model.schema = change.after;
    } else if (kind === 'partition') {
      const extra = this.model.schema.columns[0];
      const specs = [
        [],
        [{ column: 'id', transform: 'bucket[3]' }],
        [{ column: 'part', transform: 'identity' }],
        [{ column: 'n', transform: 'truncate[10]' }],
        [
          { column: 'part', transform: 'identity' },
          { column: 'id', transform: 'bucket[2]' },
        ],
        [{ column: 's.b', transform: 'identity' }],
        ...(extra === undefined ? [] : [[{ column: extra.name, transform: 'identity' }]]),
      ];
      await this.#mayAct(setPartitioning(pick(specs, a) ?? []));
    } else if (kind === 'mode') {
      const mode = (bit: number) => ((a >> bit) % 2 === 0 ? 'merge-on-read' : 'copy-on-write');
      await this.#act(setProperties({ 'write.delete.mode': mode(0), 'write.merge.mode': mode(1) }));
    } else if (kind === 'upgrade') {
      const { formatVersion } = (await this.#warehouse.load(this.name)).metadata;
      if (formatVersion < 3) await this.#act(upgradeFormat(formatVersion === 1 ? 2 : 3));
    }
  }

  #schemaChange(kind: string, a: number, ids: readonly number[]): { change: ColumnChange; after: ModelSchema } | null {
    const isNested = kind.endsWith('-nested');
    const { schema } = this.model;
    const list = isNested ? schema.fields : schema.columns;
    const path = (name: string) => (isNested ? `s.${name}` : name);
    const after = (changed: readonly ModelColumn[]): ModelSchema =>
      isNested ? { ...schema, fields: changed } : { ...schema, columns: changed };
    const free = pick(
      names.filter((name) => list.every((column) => column.name !== name)),
      ids[0] ?? 0,
    );
    const old = pick(list, a);
    const type = a % 2 === 0 ? 'int' : 'long';
    if (kind.startsWith('add') && free !== undefined) {
      const column: ModelColumn = { key: this.model.nextKey(), name: free, type };
      return { change: { kind: 'add', column: { name: path(free), type } }, after: after([...list, column]) };
    }
    if (old === undefined) return null;
    const others = (each: ModelColumn) => each.key !== old.key;
    const instead = (column: ModelColumn) => after(list.map((each) => (others(each) ? each : column)));
    if (kind.startsWith('drop')) return { change: { kind: 'drop', column: path(old.name) }, after: after(list.filter(others)) };
    if (kind.startsWith('rename') && free !== undefined) {
      return { change: { kind: 'rename', from: path(old.name), to: free }, after: instead({ ...old, name: free }) };
    }
    if (kind !== 'widen') return null;
    return { change: { kind: 'widen', column: path(old.name), type: 'long' }, after: instead({ ...old, type: 'long' }) };
  }

  async #act(action: TableAction): Promise<void> {
    const transaction = this.#warehouse.tables.transaction();
    transaction.change(await this.#warehouse.load(this.name), action);
    await transaction.commit();
  }

  /** False where the table's state refuses it, such as dropping a column that it is partitioned by. */
  async #mayAct(action: TableAction): Promise<boolean> {
    try {
      await this.#act(action);
      return true;
    } catch (error) {
      if (
        IcecoreError.is(error, 'FAILED_PRECONDITION') ||
        IcecoreError.is(error, 'BAD_USER_INPUT') ||
        IcecoreError.is(error, 'ALREADY_EXISTS')
      )
        return false;
      throw error;
    }
  }
}

function pick<T>(items: readonly T[], at: number): T | undefined {
  return items.length === 0 ? undefined : items[at % items.length];
}

function same(what: string, found: bigint, expected: number): void {
  if (found !== BigInt(expected)) throw new Error(`${what} is ${found}, and should be ${expected}.`);
}
