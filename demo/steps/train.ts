import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import type { RecordBatch } from 'apache-arrow';
import type { Api } from '../api.ts';
import { areaUnderCurve } from '../area-under-curve.ts';
import { descend, hourInput, type LateModel, logit, weightCount } from '../late-model.ts';
import type { Terminal } from '../terminal.ts';
import { features } from './training-set.ts';

const epochs = 4;
const inputs = [...features, 'distance'];

export interface TrainedModel {
  readonly artifact: string;
  readonly sha256: string;
  readonly auc: number;
  readonly bestFeature: { readonly name: string; readonly auc: number };
}

/** Streaming gradient descent over shuffled Arrow batches of the feed; judged on later days beside each single feature. */
export async function train(api: Api, terminal: Terminal, artifact: string): Promise<TrainedModel> {
  const model = { inputs: await standards(api), weights: [] };
  const weights = new Float64Array(weightCount(inputs.length));
  const values = new Float64Array(inputs.length);
  let rows = 0;
  let loss = 0;
  terminal.begin(`${epochs} shuffled epochs of gradient descent`);
  for (let epoch = 0; epoch < epochs; epoch++) {
    const rate = 0.02 / (1 + 2 * epoch);
    loss = 0;
    let inEpoch = 0;
    for await (const batch of api.batches({ input: feed('train', { shuffle: 'WINDOWED', seed: '7', epoch }) })) {
      const columns = columnsOf(batch);
      for (let row = 0; row < batch.numRows; row++) {
        columns.read(row, values);
        loss += Math.abs(descend(model, weights, values, columns.hour(row), columns.label(row), rate));
      }
      inEpoch += batch.numRows;
      rows += batch.numRows;
      terminal.progress(`epoch ${epoch + 1}: ${rows.toLocaleString('en-US')} rows, mean error ${(loss / inEpoch).toFixed(4)}`);
    }
  }
  terminal.done(`${epochs} shuffled epochs, ${rows.toLocaleString('en-US')} rows of gradient descent`);
  const trained: LateModel = { ...model, weights: [...weights] };
  const text = JSON.stringify(trained);
  writeFileSync(artifact, text);
  return { artifact, sha256: createHash('sha256').update(text).digest('hex'), ...(await judge(api, terminal, trained)) };
}

/** Means and deviations of the training split, by one SELECT over the training set. */
async function standards(api: Api): Promise<LateModel['inputs']> {
  const columns = inputs.flatMap((name) => [
    `avg(${name})::DOUBLE AS mean_${name}`,
    `stddev(${name})::DOUBLE AS deviation_${name}`,
  ]);
  const statement = `SELECT ${columns.join(', ')} FROM training.late_departures WHERE split = 'train'`;
  const { sql } = await api.ask<{ sql: { rows: readonly Readonly<Record<string, number | null>>[] } }>(
    'query ($statement: String!) { sql(statement: $statement) { rows } }',
    { statement },
  );
  const [row = {}] = sql.rows;
  return inputs.map((name) => ({ name, mean: row[`mean_${name}`] ?? 0, deviation: row[`deviation_${name}`] || 1 }));
}

async function judge(api: Api, terminal: Terminal, model: LateModel): Promise<Pick<TrainedModel, 'auc' | 'bestFeature'>> {
  terminal.begin('judging it on later days');
  const scores: number[][] = [];
  const features: number[][] = inputs.map(() => []);
  const labels: number[] = [];
  const values = new Float64Array(inputs.length);
  for await (const batch of api.batches({ input: feed('test', { shuffle: 'NONE' }) })) {
    const columns = columnsOf(batch);
    for (let row = 0; row < batch.numRows; row++) {
      columns.read(row, values);
      scores.push([logit(model, model.weights, values, columns.hour(row))]);
      for (const [index, feature] of features.entries()) feature.push(values[index] ?? Number.NaN);
      labels.push(columns.label(row));
    }
  }
  const truth = Uint8Array.from(labels);
  const auc = areaUnderCurve(Float64Array.from(scores.flat()), truth);
  const single = features.map((feature, index) => {
    // A missing value counts as the mean; a feature that falls with lateness counts as well as one that rises.
    const filled = Float64Array.from(feature, (value) => (Number.isNaN(value) ? (model.inputs[index]?.mean ?? 0) : value));
    const area = areaUnderCurve(filled, truth);
    return { name: inputs[index] ?? '', auc: Math.max(area, 1 - area) };
  });
  const bestFeature = single.reduce((best, next) => (next.auc > best.auc ? next : best));
  terminal.done(
    `AUC on ${truth.length.toLocaleString('en-US')} later flights: ${auc.toFixed(4)}; best single feature (${bestFeature.name}): ${bestFeature.auc.toFixed(4)}`,
  );
  return { auc, bestFeature };
}

function feed(split: string, order: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return {
    source: { trainingSet: { name: 'late_departures', version: 1 } },
    columns: [...inputs, hourInput, 'late'],
    split,
    batchSize: 32_768,
    ...order,
  };
}

interface Columns {
  read(row: number, into: Float64Array): void;
  hour(row: number): number;
  label(row: number): number;
}

function columnsOf(batch: RecordBatch): Columns {
  const vectors = inputs.map((name) => batch.getChild(name));
  const hours = batch.getChild(hourInput);
  const labels = batch.getChild('late');
  return {
    read(row, into) {
      for (const [index, vector] of vectors.entries()) {
        const value: unknown = vector?.get(row);
        into[index] = value === null || value === undefined ? Number.NaN : Number(value);
      }
    },
    hour: (row) => Number(hours?.get(row)),
    label: (row) => Number(labels?.get(row)),
  };
}
