import { fileURLToPath } from 'node:url';
import type { Expression } from '../src/iceberg/expression.ts';
import { currentSchema, currentSnapshot } from '../src/iceberg/metadata.ts';
import { FileReads } from '../src/tables/file-reads.ts';
import { planSnapshot } from '../src/tables/snapshot-files.ts';
import type { Table } from '../src/tables/table.ts';
import { pythonEnvironment } from '../test/environment/python.ts';
import { PythonSession } from '../test/peers/python-session.ts';
import { Warehouse } from '../test/tables/warehouse.ts';
import { type BenchRow, benchRow } from './bench.ts';
import { JavaPlanner } from './planning/java-planner.ts';
import { filesPerDay, makeManyFiles } from './planning/many-files.ts';
import { sideBySide } from './side-by-side.ts';

const days = 200;
const rounds = 7;
const day = '2024-03-05';
const peer = 'PyIceberg';
const javaPeer = "Iceberg's Java library";

const prelude = `
from pyiceberg.expressions import EqualTo, AlwaysTrue
from pyiceberg.manifest import clear_manifest_cache
from pyiceberg.table import StaticTable
def plan(location, where, is_anew):
    if is_anew:
        clear_manifest_cache()
    return len(list(StaticTable.from_metadata(location).scan(row_filter=where).plan_files()))
`;

/**
 * Planning a table of 20,000 files beside PyIceberg, both from the same files on local disk: whole, and one day of 200. And
 * one day of a million files beside Iceberg's Java library.
 */
export async function benchPlanning(): Promise<readonly BenchRow[]> {
  const warehouse = await Warehouse.open();
  const python = pythonEnvironment(fileURLToPath(new URL('../test/python/pyiceberg.lock', import.meta.url)));
  const session = await PythonSession.start(python, prelude, { directory: warehouse.directory });
  try {
    const oneByOne = await makeManyFiles(warehouse, 'bench.by_day', { days, daysPerCommit: 1, isMerged: false });
    const merged = await makeManyFiles(warehouse, 'bench.merged', { days, daysPerCommit: days });
    const both = { warehouse, session };
    return [
      await compare(both, oneByOne, { what: 'all, manifests unread before', isAnew: true, matched: days * filesPerDay }),
      await compare(both, oneByOne, { what: 'one day of 200, manifests unread before', isAnew: true, matched: filesPerDay, day }),
      await compare(both, oneByOne, { what: 'one day of 200, again', isAnew: false, matched: filesPerDay, day }),
      await compare(both, merged, {
        what: 'one day of 200 in one manifest, unread before',
        isAnew: true,
        matched: filesPerDay,
        day,
      }),
      await compare(both, merged, { what: 'one day of 200 in one manifest, again', isAnew: false, matched: filesPerDay, day }),
      await compareMillion(warehouse),
    ];
  } finally {
    await session.stop();
    await warehouse.close();
  }
}

interface Both {
  readonly warehouse: Warehouse;
  readonly session: PythonSession;
}

interface Plan {
  readonly what: string;
  /** Nothing of the table's manifests is kept from one round to the next. */
  readonly isAnew: boolean;
  readonly matched: number;
  readonly day?: string;
}

async function compare({ warehouse, session }: Both, table: Table, plan: Plan): Promise<BenchRow> {
  const { metadata, metadataLocation } = table;
  const where: Expression = plan.day === undefined ? { op: 'true' } : { op: 'eq', column: 'day', literal: plan.day };
  const python = `plan("${metadataLocation}", ${plan.day === undefined ? 'AlwaysTrue()' : `EqualTo("day", "${plan.day}")`}, ${plan.isAnew ? 'True' : 'False'})`;
  const kept = new FileReads(warehouse.tables.storage);
  const { ours, peer: theirs } = await sideBySide(
    rounds,
    async () => {
      const files = plan.isAnew ? new FileReads(warehouse.tables.storage) : kept;
      const options = { schema: currentSchema(metadata), where };
      const { tasks } = await planSnapshot(files, metadata, currentSnapshot(metadata) ?? null, options);
      check(tasks.length, plan, 'Icecore');
    },
    async () => check(Number(await session.value(python)), plan, peer),
  );
  return benchRow({ work: `plan 20,000 files, ${plan.what}`, ours: ours * 1000, unit: 'ms', peer, peerValue: theirs * 1000 });
}

/** A hundred manifests of a hundred days each: one is read, on both sides each time anew. */
async function compareMillion(warehouse: Warehouse): Promise<BenchRow> {
  const { metadata, metadataLocation } = await makeManyFiles(warehouse, 'bench.million', {
    days: 10_000,
    daysPerCommit: 100,
    isMerged: false,
  });
  const java = await JavaPlanner.start();
  try {
    const plan: Plan = { what: 'one day of 10,000', isAnew: true, matched: filesPerDay, day };
    const where: Expression = { op: 'eq', column: 'day', literal: day };
    const { ours, peer: theirs } = await sideBySide(
      rounds,
      async () => {
        const options = { schema: currentSchema(metadata), where };
        const files = new FileReads(warehouse.tables.storage);
        const { tasks } = await planSnapshot(files, metadata, currentSnapshot(metadata) ?? null, options);
        check(tasks.length, plan, 'Icecore');
      },
      async () => check(await java.plan(metadataLocation, { type: 'eq', term: 'day', value: day }), plan, javaPeer),
    );
    return benchRow({
      work: 'plan 1,000,000 files, one day of 10,000, manifests unread before',
      ours: ours * 1000,
      unit: 'ms',
      peer: javaPeer,
      peerValue: theirs * 1000,
    });
  } finally {
    await java.stop();
  }
}

/** A quick wrong answer is no measure. */
function check(found: number, { matched, what }: Plan, who: string): void {
  if (found !== matched) throw new Error(`${who} planned ${found} files of ${what}, not ${matched}`);
}
