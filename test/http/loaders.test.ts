import { afterAll, beforeAll, expect, it } from 'vitest';
import { localCaller } from '../../src/access/local-caller.ts';
import { parseIdentifier } from '../../src/iceberg/identifier.ts';
import { newSnapshotId } from '../../src/iceberg/snapshot-id.ts';
import { appendFiles } from '../../src/tables/actions/append-files.ts';
import { eventType, subscribe } from '../feed/feed-client.ts';
import { eventPayloads } from './event-stream.ts';
import { startTestServer, type TestServer } from './test-server.ts';

const tableCount = 5;
const snapshotsPerTable = 20;

let server: TestServer;
let snapshotNodeIds: readonly string[];

beforeAll(async () => {
  server = await startTestServer();
  for (let index = 0; index < tableCount; index++) await makeTable(`raw.t${index}`);
  const query = `{ tables(namespace: "raw") { edges { node { snapshots(first: ${snapshotsPerTable}) { edges { node { id } } } } } } }`;
  const { tables } = (await server.ask(query)).data as {
    readonly tables: Edges<{ readonly snapshots: Edges<{ readonly id: string }> }>;
  };
  snapshotNodeIds = tables.edges.flatMap(({ node }) => node.snapshots.edges.map((edge) => edge.node.id));
});
afterAll(() => server.close());

interface Edges<Node> {
  readonly edges: readonly { readonly node: Node }[];
}

/** A table whose every snapshot was written by a run of its own, as an external job would report it. */
async function makeTable(name: string): Promise<void> {
  const { tables, lineage, runs } = server.icecore;
  const creation = tables.transaction();
  creation.create(parseIdentifier(name), { columns: [{ name: 'n', type: 'long' }] });
  await creation.commit();
  for (let index = 0; index < snapshotsPerTable; index++) {
    const table = await tables.load(parseIdentifier(name));
    const snapshotId = newSnapshotId();
    const transaction = tables.transaction();
    transaction.change(table, appendFiles([], { snapshotId }));
    const output = { tableUuid: table.uuid, tableName: name, snapshotId };
    const { run, entry } = runs.recorded(localCaller, 'EXTERNAL', 'nightly', {}, { result: null, inputs: [], outputs: [output] });
    transaction.entry(entry);
    const from = { kind: 'EXTERNAL', uuid: 's3://bucket/file', version: null, name: 'file' } as const;
    const to = { kind: 'TABLE', uuid: table.uuid, version: String(snapshotId), name } as const;
    for (const edge of lineage.drafts([{ from, to, runId: run.id, columns: [] }], localCaller)) transaction.entry(edge);
    await transaction.commit();
  }
}

interface SnapshotAnswer {
  readonly snapshotId: string;
  readonly table: { readonly name: string };
  readonly producedBy: { readonly id: string };
}

const fields = 'snapshotId table { name currentSnapshot { snapshotId } } producedBy { id by { id } }';

function counts() {
  const { catalogLoads, metadataReads, manifestReads } = server.icecore.tables.counts();
  return { catalogLoads, metadataReads, manifestReads, ledgerQueries: server.icecore.ledger.queries };
}

async function counted<Data>(query: string, variables: Readonly<Record<string, unknown>>) {
  const before = counts();
  const { data, errors } = await server.ask(query, variables);
  expect(errors).toBeUndefined();
  const after = counts();
  const reads = Object.fromEntries(
    Object.entries(after).map(([name, count]) => [name, count - before[name as keyof typeof before]]),
  );
  return { data: data as Data, reads };
}

/** The catalog is asked once for all tables, the ledger once for all edges to the snapshots and once for all their runs. */
const reads = { catalogLoads: 1, metadataReads: 0, manifestReads: 0, ledgerQueries: 2 };

it('100 snapshots by their ids, with their tables and runs, cost as many reads as ten', async () => {
  expect(snapshotNodeIds.length).toBe(100);
  const query = `query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Snapshot { ${fields} } } }`;
  interface Data {
    readonly nodes: readonly SnapshotAnswer[];
  }
  await counted(query, { ids: snapshotNodeIds });
  const ten = await counted<Data>(query, { ids: snapshotNodeIds.filter((_, index) => index % 10 === 0) });
  const all = await counted<Data>(query, { ids: snapshotNodeIds });
  expect(new Set(all.data.nodes.map((node) => node.snapshotId)).size).toBe(100);
  expect(new Set(all.data.nodes.map((node) => node.producedBy.id)).size).toBe(100);
  expect(new Set(all.data.nodes.map((node) => node.table.name)).size).toBe(tableCount);
  expect([ten.reads, all.reads]).toEqual([reads, reads]);
});

it('and so do those of one table', async () => {
  const query = `query ($first: Int!) { table(name: "raw.t0") { snapshots(first: $first) { edges { node { ${fields} } } } } }`;
  await counted(query, { first: 1 });
  const two = await counted(query, { first: 2 });
  const all = await counted<{ readonly table: { readonly snapshots: Edges<SnapshotAnswer> } }>(query, {
    first: snapshotsPerTable,
  });
  expect(all.data.table.snapshots.edges.length).toBe(snapshotsPerTable);
  expect([two.reads, all.reads]).toEqual([reads, reads]);
});

it('an id that is none harms no other', async () => {
  const ids = [snapshotNodeIds[0], 'nonsense', snapshotNodeIds[1]];
  const { data, errors } = await server.ask('query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', { ids });
  expect(data.nodes).toEqual([{ id: ids[0] }, null, { id: ids[2] }]);
  expect(errors).toMatchObject([{ path: ['nodes', 1], message: expect.stringMatching(/"nonsense" is no id/) }]);
});

it('what was loaded for one event of a subscription is loaded anew for the next', { timeout: 30_000 }, async () => {
  const ask = async (query: string) => expect((await server.ask(query)).errors).toBeUndefined();
  const write = 'mutation { writeRows(input: { table: "live.t", rows: { json: [{ n: "1" }] }, mode: APPEND }) { rowsAdded } }';
  const register = `mutation { registerModelVersion(input: { model: "late", trainedOn: { table: { name: "live.t" } }, artifactSha256: "${'0'.repeat(64)}",
    signature: { inputs: [{ name: "n", type: "long" }], outputs: [{ name: "p", type: "double" }] } }) { modelVersion { version } } }`;
  await ask('mutation { createTable(input: { name: "live.t", columns: [{ name: "n", type: "long" }] }) { table { id } } }');
  await ask(write);
  await ask('mutation { registerModel(input: { name: "late", description: "first" }) { model { id } } }');

  const query = `subscription { modelVersionChanged(model: "late") {
    version model { description } trainingTable { table { currentSnapshot { snapshotId } } }
  } }`;
  const response = await subscribe({ origin: server.origin, query, accept: eventType });
  const events = eventPayloads<{
    readonly data: {
      readonly modelVersionChanged: {
        readonly version: number;
        readonly model: { readonly description: string };
        readonly trainingTable: { readonly table: { readonly currentSnapshot: { readonly snapshotId: string } } };
      };
    };
  }>(response);
  const nextEvent = async () => {
    const step = await events.next();
    if (step.done === true) throw new Error('the subscription ended');
    return step.value.data.modelVersionChanged;
  };
  // Nothing tells when the server has begun to listen; the first event does.
  const first = nextEvent();
  let versions = 0;
  for (let seen = false; !seen; versions++) {
    await ask(register);
    const later = new Promise<boolean>((resolve) => setTimeout(resolve, 200, false));
    seen = await Promise.race([first.then(() => true), later]);
  }
  const { model, trainingTable } = await first;
  expect(model.description).toBe('first');

  await ask('mutation { updateModel(input: { name: "late", description: "second" }) { model { id } } }');
  await ask(write);
  await ask(register);
  let newest = await nextEvent();
  while (newest.version <= versions) newest = await nextEvent();
  expect(newest.model.description).toBe('second');
  expect(newest.trainingTable.table.currentSnapshot.snapshotId).not.toBe(trainingTable.table.currentSnapshot.snapshotId);
  response.destroy();
});
