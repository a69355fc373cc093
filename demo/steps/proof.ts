import type { Api } from '../api.ts';
import type { Delivery } from '../flight-files.ts';
import { count, finish } from '../run-progress.ts';
import type { Terminal } from '../terminal.ts';
import { append } from './raw-tables.ts';
import { predictionsTable } from './scoring.ts';

/** What the demo shows of a chain from a prediction back to raw data. */
export const worstAirports = `SELECT a.city, a.iata, count(*) AS flights, avg(p.probability_late) AS mean_probability
FROM ${predictionsTable} p JOIN raw.airports a ON a.iata = p.origin
GROUP BY ALL HAVING count(*) >= 50 ORDER BY mean_probability DESC LIMIT 5`;

interface Node {
  readonly id: string;
  readonly kind: string;
  readonly name: string | null;
  readonly version: string | null;
}

/** A SELECT over predictions and airports, told as a table. */
export async function showPredictions(api: Api, terminal: Terminal): Promise<void> {
  terminal.begin('predictions joined with airports');
  const { sql } = await api.ask<{
    sql: { rows: readonly { city: string; iata: string; flights: string; mean_probability: number }[] };
  }>('query ($statement: String!) { sql(statement: $statement) { rows } }', { statement: worstAirports });
  terminal.done('predictions joined with airports: where to expect a wait');
  for (const { city, iata, flights, mean_probability } of sql.rows) {
    terminal.note(
      `${iata}  ${city.padEnd(24)} ${flights.padStart(6)} flights  ${(100 * mean_probability).toFixed(1)} % likely late`,
    );
  }
}

/** One prediction, what it rests on, and the trail of who did what. Gives its id. */
export async function showLineage(api: Api, terminal: Terminal): Promise<string> {
  terminal.begin('lineage of one prediction');
  const { predictions } = await api.ask<{
    predictions: { edges: readonly { node: { id: string; entity: unknown; output: unknown } }[] };
  }>(`query { predictions(table: "${predictionsTable}", first: 1) { edges { node { id entity output } } } }`);
  const prediction = predictions.edges[0]?.node;
  if (prediction === undefined) throw new Error('there are no predictions');
  const { lineage } = await api.ask<{ lineage: { nodes: readonly Node[]; edges: readonly unknown[]; complete: boolean } }>(
    'query ($of: ID!) { lineage(of: $of, direction: UPSTREAM) { complete nodes { id kind name version } edges { id } } }',
    { of: prediction.id },
  );
  const raw = lineage.nodes.filter(({ kind, name }) => kind === 'TABLE' && name === 'raw.flights');
  if (raw.length === 0) throw new Error('the lineage of the prediction does not reach raw.flights');
  terminal.done(
    `lineage of one prediction: ${lineage.nodes.length} nodes, complete: ${lineage.complete}, back to raw.flights at snapshot ${raw[0]?.version}`,
  );
  terminal.note(`${JSON.stringify(prediction.entity)} → ${JSON.stringify(prediction.output)}`);

  terminal.begin('its explanation, derived again');
  const { node } = await api.ask<{
    node: { explanation: { rederived: boolean; differences: readonly string[]; approvedBy: { id: string } } };
  }>('query ($id: ID!) { node(id: $id) { ... on Prediction { explanation { rederived differences approvedBy { id } } } } }', {
    id: prediction.id,
  });
  if (!node.explanation.rederived) throw new Error(`the features came out different: ${node.explanation.differences.join('; ')}`);
  terminal.done(`its features derived again from their snapshots: the same; approved by ${node.explanation.approvedBy.id}`);
  return prediction.id;
}

/** Every step up to the subject with its entry in the chain, the chain checked. */
export async function showTrail(api: Api, terminal: Terminal, of: string): Promise<void> {
  terminal.begin('the audit trail');
  const { auditTrail } = await api.ask<{
    auditTrail: {
      complete: boolean;
      missing: readonly string[];
      steps: readonly { kind: string; at: string | null; by: { id: string } | null; entrySeq: string | null }[];
      chain: { consistent: boolean; headSeq: string; verifiedThroughSeq: string | null };
    };
  }>(
    'query ($of: ID!) { auditTrail(of: $of) { complete missing steps { kind at by { id } entrySeq } chain { consistent headSeq verifiedThroughSeq } } }',
    {
      of,
    },
  );
  const { chain, steps } = auditTrail;
  if (!chain.consistent) throw new Error('the audit chain is broken');
  terminal.done(
    `audit trail: ${steps.length} steps, complete: ${auditTrail.complete}; chain of ${chain.headSeq} entries consistent`,
  );
  for (const { kind, at, by, entrySeq } of steps.slice(-6))
    terminal.note(`#${entrySeq ?? '–'}  ${at ?? ''}  ${by?.id ?? ''}  ${kind}`);
}

const compact = 'mutation ($input: CompactTableInput!) { compactTable(input: $input) { run { id } } }';
const expire = `mutation ($input: ExpireSnapshotsInput!) { expireSnapshots(input: $input) {
  run { id } removed kept { snapshotId heldBy } } }`;
const reproduce = 'mutation ($input: ReproduceTrainingSetInput!) { reproduceTrainingSet(input: $input) { run { id } } }';
const verdict =
  'query ($id: ID!) { run(id: $id) { ... on ReproductionRun { verdict expectedDigest actualDigest differences } } }';

const scanPlan = 'query { table(name: "raw.flights") { scanPlan { filesTotal } } }';

async function fileCount(api: Api): Promise<string> {
  const { table } = await api.ask<{ table: { scanPlan: { filesTotal: string } } }>(scanPlan);
  return table.scanPlan.filesTotal;
}

/** The next month arrives, the table is compacted and expired; the training set still comes out the same, to the bit. */
export async function moveOnAndReproduce(api: Api, terminal: Terminal, deliveries: readonly Delivery[]): Promise<void> {
  terminal.begin('a month later');
  let rows = 0n;
  for (const delivery of deliveries) rows += await append(api, delivery);
  terminal.done(`the next month arrives, in ${deliveries.length} commits: ${count(rows)} more flights`);

  terminal.begin('raw.flights compacted');
  const before = await fileCount(api);
  const compacted = await api.ask<{ compactTable: { run: { id: string } } }>(compact, {
    input: { idempotencyKey: 'compact', table: 'raw.flights' },
  });
  await finish(api, terminal, compacted.compactTable.run.id);
  terminal.done(`raw.flights compacted: ${before} files are ${await fileCount(api)} now`);

  terminal.begin('raw.flights expired');
  const { expireSnapshots } = await api.ask<{
    expireSnapshots: { run: { id: string }; removed: readonly string[]; kept: readonly { heldBy: readonly string[] }[] };
  }>(expire, { input: { idempotencyKey: 'expire', table: 'raw.flights', olderThan: new Date().toISOString() } });
  await finish(api, terminal, expireSnapshots.run.id);
  const holders = [...new Set(expireSnapshots.kept.flatMap(({ heldBy }) => heldBy))];
  terminal.done(
    `raw.flights expired: ${expireSnapshots.removed.length} snapshots gone; kept what is held by ${holders.join(', ')}`,
  );

  terminal.begin('the training set made again from its pins');
  const reproduced = await api.ask<{ reproduceTrainingSet: { run: { id: string } } }>(reproduce, {
    input: { idempotencyKey: 'reproduce', name: 'late_departures', version: 1 },
  });
  await finish(api, terminal, reproduced.reproduceTrainingSet.run.id);
  const { run } = await api.ask<{ run: { verdict: string; actualDigest: string; differences: readonly string[] } }>(verdict, {
    id: reproduced.reproduceTrainingSet.run.id,
  });
  if (run.verdict !== 'EXACT') throw new Error(`the training set came out ${run.verdict}: ${run.differences.join('; ')}`);
  terminal.done(`the training set made again from its pins: ${run.verdict}, digest ${run.actualDigest.slice(0, 16)}…`);
}
