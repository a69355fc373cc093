import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from './test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  await server.ask(
    'mutation { createTable(input: { name: "raw.watched", columns: [{ name: "a", type: "int" }] }) { table { id } } }',
  );
});
afterAll(() => server.close());

/** The data of a subscription's events, as they come. */
async function* events(
  query: string,
  variables: unknown,
  signal: AbortSignal,
): AsyncGenerator<Readonly<Record<string, unknown>>> {
  const response = await fetch(`${server.origin}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({ query, variables }),
    signal,
  });
  expect(response.headers.get('content-type')).toMatch(/event-stream/);
  let text = '';
  for await (const chunk of response.body ?? []) {
    text += Buffer.from(chunk).toString();
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const data = /^data: (\{.*\})$/m.exec(text.slice(0, end))?.[1];
      text = text.slice(end + 2);
      if (data !== undefined) yield JSON.parse(data);
    }
  }
}

async function append(a: number): Promise<string> {
  const answer = await server.ask(
    'mutation ($rows: [JSON!]) { writeRows(input: { table: "raw.watched", rows: { json: $rows }, mode: APPEND }) { snapshot { snapshotId } } }',
    { rows: [{ a }] },
  );
  return answer.data.writeRows.snapshot.snapshotId;
}

describe('subscriptions', () => {
  it('tell every snapshot of a table, also those between two looks, with its table as it is then', async () => {
    const first = await append(1);
    const missed = [await append(2), await append(3)];
    const left = new AbortController();
    const query =
      'subscription ($after: BigInt) { snapshotCommitted(table: "raw.watched", afterSnapshotId: $after) { snapshotId table { snapshots { totalCount } } } }';
    const stream = events(query, { after: first }, left.signal);
    const seen: unknown[] = [];
    const take = async (count: number): Promise<void> => {
      for (let taken = 0; taken < count; taken++) seen.push((await stream.next()).value?.data?.snapshotCommitted);
    };
    await take(2);
    const next = await append(4);
    await take(1);
    left.abort();
    const [second, third, fourth] = seen as {
      readonly snapshotId: string;
      readonly table: { readonly snapshots: { readonly totalCount: string } };
    }[];
    expect([second?.snapshotId, third?.snapshotId, fourth?.snapshotId]).toEqual([...missed, next]);
    // Nothing loaded for an earlier event is shown in a later one.
    expect([third?.table.snapshots.totalCount, fourth?.table.snapshots.totalCount]).toEqual(['3', '4']);
  });

  it('tell a run up to its end', async () => {
    const compaction = await server.ask('mutation { compactTable(input: { table: "raw.watched" }) { run { id } } }');
    const stream = events(
      'subscription ($id: ID!) { runProgress(id: $id) { __typename id status kind } }',
      { id: compaction.data.compactTable.run.id },
      AbortSignal.timeout(20_000),
    );
    let last: unknown;
    for await (const event of stream) last = (event.data as { readonly runProgress: unknown } | undefined)?.runProgress ?? last;
    expect(last).toEqual({
      __typename: 'JobRun',
      id: compaction.data.compactTable.run.id,
      status: 'SUCCEEDED',
      kind: 'MAINTENANCE',
    });
  });

  it('end with the client that leaves', async () => {
    const left = new AbortController();
    const stream = events('subscription { modelVersionChanged { version } }', {}, left.signal);
    const pending = stream.next().catch(() => null);
    await server.ask('mutation { registerModel(input: { name: "m" }) { model { name } } }');
    left.abort();
    await pending;
    expect((await server.ask('{ models { totalCount edges { node { name } } } }')).data.models.edges).toEqual([
      { node: { name: 'm' } },
    ]);
  });
});
