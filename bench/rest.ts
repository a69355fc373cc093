import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { pythonEnvironment } from '../test/environment/python.ts';
import { type BenchRow, benchRow } from './bench.ts';
import { registerLongHistory } from './rest/long-history.ts';
import { type RestPeer, startIcecore, startReference } from './rest/rest-peer.ts';
import { loadTable } from './rest/table-loads.ts';
import { median, sideBySide } from './side-by-side.ts';

const run = promisify(execFile);
const rounds = 5;
const appends = 60;
const rowsAppended = 100;
const loads = 4_000;
const snapshots = 10_000;
const loadsOfMany = 40;
const peer = 'the reference catalog';

/** Icecore's REST catalog beside the reference one, both on SQLite and local disk, used by the same clients in turns. */
export async function benchRest(): Promise<readonly BenchRow[]> {
  const directory = await mkdtemp(join(tmpdir(), 'icecore-bench-rest-'));
  const python = pythonEnvironment(fileURLToPath(new URL('../test/python/pyiceberg.lock', import.meta.url)));
  const peers: RestPeer[] = [];
  try {
    const ours = await startIcecore(directory);
    peers.push(ours);
    const theirs = await startReference(directory);
    peers.push(theirs);
    const both = { ours, theirs, directory, python };
    return [...(await compareAppends(both)), ...(await compareLoads(both)), ...(await compareLongHistory(both))];
  } finally {
    for (const each of peers) await each.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

interface Both {
  readonly ours: RestPeer;
  readonly theirs: RestPeer;
  readonly directory: string;
  readonly python: string;
}

/** PyIceberg, one writer, a new table each round. */
async function compareAppends({ ours, theirs, python }: Both): Promise<readonly BenchRow[]> {
  let round = 0;
  const append = async ({ uri }: RestPeer, table: string): Promise<number> => {
    const script = fileURLToPath(new URL('./rest/appends.py', import.meta.url));
    const { stdout } = await run(python, [script, uri, table, String(appends), String(rowsAppended)]);
    return appends / Number(stdout);
  };
  const figures: { readonly ours: number; readonly theirs: number }[] = [];
  for (; round <= rounds; round++) {
    const name = `bench.appended_${round}`;
    const figure = { ours: await append(ours, name), theirs: await append(theirs, name) };
    if (round > 0) figures.push(figure);
  }
  return [
    benchRow({
      work: `PyIceberg appends of ${rowsAppended} rows, one writer`,
      ours: median(figures.map((each) => each.ours)),
      unit: '/s',
      peer,
      peerValue: median(figures.map((each) => each.theirs)),
    }),
  ];
}

async function compareLoads({ ours, theirs }: Both): Promise<readonly BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const clients of [1, 8])
    rows.push(...(await compareLoad(ours, theirs, 'appended_0', clients, loads, `table of ${appends + 1} snapshots`)));
  return rows;
}

async function compareLongHistory({ ours, theirs, directory, python }: Both): Promise<readonly BenchRow[]> {
  for (const each of [ours, theirs]) await registerLongHistory(each.uri, directory, 'bench.appended_0', 'long', snapshots);
  const rows = [
    ...(await compareLoad(ours, theirs, 'long', 1, loadsOfMany, `table of ${snapshots} snapshots`)),
    ...(await compareLoad(ours, theirs, 'long?snapshots=refs', 1, loadsOfMany, `table of ${snapshots} snapshots, those of refs`)),
  ];
  const script = fileURLToPath(new URL('./rest/appends.py', import.meta.url));
  const append = async ({ uri }: RestPeer): Promise<void> => {
    await run(python, [script, uri, 'bench.long', '1', String(rowsAppended)]);
  };
  const seconds = await sideBySide(
    2,
    () => append(ours),
    () => append(theirs),
  );
  rows.push(
    benchRow({
      work: `two appends to a table of ${snapshots} snapshots`,
      ours: seconds.ours,
      unit: 's',
      peer,
      peerValue: seconds.peer,
    }),
  );
  return rows;
}

async function compareLoad(
  ours: RestPeer,
  theirs: RestPeer,
  table: string,
  clients: number,
  count: number,
  what: string,
): Promise<readonly BenchRow[]> {
  const url = ({ uri }: RestPeer): string => `${uri}/v1/namespaces/bench/tables/${table}`;
  const perSecond = { ours: [] as number[], theirs: [] as number[] };
  const p99 = { ours: [] as number[], theirs: [] as number[] };
  for (let round = 0; round <= rounds; round++) {
    const [mine, other] = [await loadTable(url(ours), clients, count), await loadTable(url(theirs), clients, count)];
    // The first round warms both.
    if (round === 0) continue;
    perSecond.ours.push(mine.perSecond);
    perSecond.theirs.push(other.perSecond);
    p99.ours.push(mine.p99Ms);
    p99.theirs.push(other.p99Ms);
  }
  const work = `loads of a ${what}, ${clients} ${clients === 1 ? 'client' : 'clients'}`;
  return [
    benchRow({ work, ours: median(perSecond.ours), unit: '/s', peer, peerValue: median(perSecond.theirs) }),
    benchRow({ work: `${work}, p99`, ours: median(p99.ours), unit: 'ms', peer, peerValue: median(p99.theirs) }),
  ];
}
