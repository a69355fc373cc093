import type { Api } from '../api.ts';
import { finish } from '../run-progress.ts';
import type { Terminal } from '../terminal.ts';
import { modelName } from './registry.ts';
import { spineSql } from './training-set.ts';

const scoreBatch = 'mutation ($input: ScoreBatchInput!) { scoreBatch(input: $input) { run { id } } }';
const read = `query ($id: ID!) { run(id: $id) { ... on ScoringRun { rowsDone rowsFailed rowsPerSecond modelIdentity predictionsTable } } }`;

export const predictionsTable = 'predictions.flight_late';

/** The flights of later days scored by the champion, committed as one snapshot. */
export async function score(api: Api, terminal: Terminal, from: string, to: string): Promise<void> {
  terminal.begin(`flights from ${from} to ${to}, scored by the champion`);
  const where = `date >= TIMESTAMP '${from}' AND date < TIMESTAMP '${to}'`;
  const answer = await api.ask<{ scoreBatch: { run: { id: string } } }>(scoreBatch, {
    input: {
      idempotencyKey: `score-${from}`,
      modelVersion: { model: modelName, selector: { alias: 'champion' } },
      source: { spine: { source: { sql: spineSql(where, null) }, eventTime: 'date', labels: ['late'] } },
      into: predictionsTable,
      batchSize: 8192,
      concurrency: 4,
    },
  });
  await finish(api, terminal, answer.scoreBatch.run.id);
  const { run } = await api.ask<{ run: { rowsDone: string; rowsPerSecond: number | null; modelIdentity: string } }>(read, {
    id: answer.scoreBatch.run.id,
  });
  const speed = run.rowsPerSecond === null ? '' : `, ${Math.round(run.rowsPerSecond).toLocaleString('en-US')} a second`;
  terminal.done(`${predictionsTable}: ${Number(run.rowsDone).toLocaleString('en-US')} predictions in one snapshot${speed}`);
}
