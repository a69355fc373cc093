import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { pythonEnvironment } from '../test/environment/python.ts';
import { ServerProcess } from '../test/http/server-process.ts';
import { type BenchRow, benchRow } from './bench.ts';
import { median } from './side-by-side.ts';

const run = promisify(execFile);
const rounds = 3;
const rowsAppended = 100;
const historySnapshots = 2_000;
/** By the number of writers: how many appends each makes. */
const appendsByWriters = new Map([
  [1, 60],
  [4, 20],
  [16, 10],
]);

interface Appended {
  readonly perSecond: number;
  readonly failed: number;
}

/** Appends of many writers at once to one table: Icecore's server over HTTP, audit entry and all, beside PyIceberg on a catalog of its own. */
export async function benchAppends(): Promise<readonly BenchRow[]> {
  const directory = await mkdtemp(join(tmpdir(), 'icecore-bench-appends-'));
  const python = pythonEnvironment(fileURLToPath(new URL('../test/python/pyiceberg.lock', import.meta.url)));
  const server = await ServerProcess.start();
  try {
    const rows: BenchRow[] = [];
    for (const [writers, appends] of appendsByWriters) {
      const figures: { readonly ours: Appended; readonly theirs: Appended }[] = [];
      for (let round = 0; round <= rounds; round++) {
        const table = `bench.by_${writers}_${round}`;
        const ours = await appendOurs(server, table, writers, appends);
        const theirs = await appendTheirs(python, join(directory, `${writers}-${round}`), table, writers, appends);
        // The first round warms both.
        if (round > 0) figures.push({ ours, theirs });
      }
      const failed = (of: 'ours' | 'theirs') => figures.reduce((sum, figure) => sum + figure[of].failed, 0);
      const of = writers * appends * rounds;
      rows.push(
        benchRow({
          work: `appends of ${rowsAppended} rows, ${writers} ${writers === 1 ? 'writer' : 'writers'} (${failed('ours')} of ${of} failed)`,
          ours: median(figures.map(({ ours }) => ours.perSecond)),
          unit: '/s',
          peer: `PyIceberg on SQLite (${failed('theirs')} of ${of} failed)`,
          peerValue: median(figures.map(({ theirs }) => theirs.perSecond)),
        }),
      );
    }
    return [...rows, ...(await compareHistories(server))];
  } finally {
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

/** The same table with a tenth of its history and with all of it: what grows is no more than the list of snapshots in its metadata. */
async function compareHistories(server: ServerProcess): Promise<readonly BenchRow[]> {
  const table = 'bench.long';
  await makeTable(server, table);
  const measured = async (snapshots: number): Promise<{ readonly perSecond: number; readonly megabytes: number }> => {
    await appendMany(server, table, 16, Math.ceil((snapshots - (await snapshotsOf(server, table))) / 16));
    await server.forgetPeak();
    const { perSecond } = await appendMany(server, table, 1, 40);
    return { perSecond, megabytes: server.memory().peakBytes / 1_048_576 };
  };
  const few = await measured(historySnapshots / 10);
  const many = await measured(historySnapshots);
  const work = `appends to a table of ${historySnapshots.toLocaleString('en')} snapshots, one writer`;
  const peer = 'the same with a tenth of them';
  return [
    benchRow({ work, ours: many.perSecond, unit: '/s', peer, peerValue: few.perSecond }),
    benchRow({ work: `${work}, memory at most`, ours: many.megabytes, unit: 'MiB', peer, peerValue: few.megabytes }),
  ];
}

async function snapshotsOf(server: ServerProcess, table: string): Promise<number> {
  const [namespace, name] = table.split('.');
  const response = await fetch(`${server.origin}/iceberg/v1/namespaces/${namespace}/tables/${name}`);
  const { metadata } = (await response.json()) as { readonly metadata: { readonly snapshots: readonly unknown[] } };
  return metadata.snapshots.length;
}

async function appendOurs(server: ServerProcess, table: string, writers: number, appends: number): Promise<Appended> {
  await makeTable(server, table);
  const appended = await appendMany(server, table, writers, appends);
  const done = writers * appends - appended.failed;
  const { sql } = await server.data(`{ sql(statement: "SELECT count(*) AS n FROM ${table}") { rows } }`);
  if (Number(sql.rows[0].n) !== done * rowsAppended) throw new Error(`${table} has ${sql.rows[0].n} rows after ${done} appends`);
  return appended;
}

async function makeTable(server: ServerProcess, table: string): Promise<void> {
  const columns = [
    { name: 'id', type: 'long' },
    { name: 'value', type: 'double' },
  ];
  await server.data('mutation ($input: CreateTableInput!) { createTable(input: $input) { table { name } } }', {
    input: { name: table, columns },
  });
}

async function appendMany(server: ServerProcess, table: string, writers: number, appends: number): Promise<Appended> {
  const json = Array.from({ length: rowsAppended }, (_, i) => ({ id: String(i), value: i / 7 }));
  const query = 'mutation ($input: WriteRowsInput!) { writeRows(input: $input) { snapshot { id } } }';
  const body = JSON.stringify({ query, variables: { input: { table, mode: 'APPEND', rows: { json } } } });
  const agent = new Agent({ keepAlive: true, maxSockets: writers });
  let failed = 0;
  const writer = async (): Promise<void> => {
    for (let i = 0; i < appends; i++) if (!(await post(`${server.origin}/graphql`, body, agent))) failed++;
  };
  const startMs = performance.now();
  await Promise.all(Array.from({ length: writers }, writer));
  const seconds = (performance.now() - startMs) / 1000;
  agent.destroy();
  return { perSecond: (writers * appends - failed) / seconds, failed };
}

function post(url: string, body: string, agent: Agent): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const sent = request(url, { method: 'POST', agent, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('error', reject).on('end', () => resolve(response.statusCode === 200 && !text.includes('"errors"')));
    });
    sent.on('error', reject).end(body);
  });
}

async function appendTheirs(
  python: string,
  directory: string,
  table: string,
  writers: number,
  appends: number,
): Promise<Appended> {
  await mkdir(directory, { recursive: true });
  const script = fileURLToPath(new URL('./appends/pyiceberg_appends.py', import.meta.url));
  const args = [script, directory, table, String(writers), String(appends), String(rowsAppended)];
  const { stdout } = await run(python, args);
  const { seconds, failed } = JSON.parse(stdout) as { readonly seconds: number; readonly failed: number };
  return { perSecond: (writers * appends - failed) / seconds, failed };
}
