import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pythonEnvironment } from '../environment/python.ts';
import { describeWith } from '../environment/tool.ts';
import { PythonSession } from './python-session.ts';
import { pythonPath, TrainingLake } from './training-lake.ts';

const lock = new URL('../python/torch.lock', import.meta.url).pathname;
const script = new URL('torch_training.py', import.meta.url).pathname;

/** What one rank saw: a loss a step, which is the same on all, and the rows of each. */
interface RankRun {
  readonly losses: readonly number[];
  readonly seen: readonly (readonly number[])[];
  readonly weights: readonly number[];
}

interface Training {
  readonly losses: readonly number[];
  /** Of all ranks, ascending. */
  readonly rowsByStep: readonly (readonly number[])[];
  readonly weights: readonly number[];
}

const ascending = (numbers: readonly number[]): readonly number[] => numbers.toSorted((a, b) => a - b);

describeWith(['python3'], 'PyTorch trains on rows of Icecore', () => {
  let lake: TrainingLake;
  let directory: string;
  let python: string;
  beforeAll(async () => {
    python = pythonEnvironment(lock);
    lake = await TrainingLake.start();
    directory = await mkdtemp(join(tmpdir(), 'icecore-torch-'));
  });
  afterAll(async () => {
    await lake?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const environment = { PYTHONPATH: pythonPath, OMP_NUM_THREADS: '1', PYTHONDONTWRITEBYTECODE: '1' };

  async function train(name: string, ranks: number, options: Readonly<Record<string, unknown>>): Promise<Training> {
    const folder = join(directory, name);
    await mkdir(folder);
    const argument = JSON.stringify({ ...options, directory: folder });
    const launch = ['-m', 'torch.distributed.run', '--standalone', '--nproc-per-node', String(ranks), script, argument];
    await promisify(execFile)(python, launch, { env: { ...process.env, ...environment }, maxBuffer: 1 << 24 });
    const runs = await Promise.all(
      Array.from(
        { length: ranks },
        async (_, rank) => JSON.parse(await readFile(join(folder, `${rank}.json`), 'utf8')) as RankRun,
      ),
    );
    const [first] = runs;
    if (first === undefined) throw new Error('no rank has run');
    for (const { losses } of runs) expect(losses).toEqual(first.losses);
    const rowsByStep = first.seen.map((_, step) => ascending(runs.flatMap(({ seen }) => seen[step] ?? [])));
    return { losses: first.losses, rowsByStep, weights: first.weights };
  }

  test.each([
    ['feed', 'plan'],
    ['plan', 'feed'],
  ])(
    'two ranks over the %s, and from the middle of the epoch four over the %s: the same losses of the same rows',
    async (before, after) => {
      const feed = { table: lake.table, url: lake.url, seed: 21, epoch: 1, lanes: 8 };
      const checkpoint = join(directory, `${before}.pt`);
      const save = 15;
      const whole = await train(`two-${before}`, 2, {
        feed: { ...feed, via: before, batch_size: 16 },
        workers: 2,
        checkpoint,
        save,
      });
      expect(whole.losses).toHaveLength(Math.ceil(lake.numbers.length / 64));
      expect(ascending(whole.rowsByStep.flat())).toEqual(lake.numbers);
      const order = await lake.order({ seed: '21', epoch: 1, lanes: 8 });
      expect(whole.rowsByStep).toEqual(whole.losses.map((_, step) => ascending(order.slice(64 * step, 64 * (step + 1)))));
      // What y was made of.
      for (const [index, weight] of [2, -1, 0.5, 0].entries()) expect(whole.weights[index]).toBeCloseTo(weight, 1);

      const resumed = await train(`four-${before}`, 4, { feed: { ...feed, via: after, batch_size: 8 }, workers: 2, checkpoint });
      expect(resumed.rowsByStep).toEqual(whole.rowsByStep.slice(save));
      expect(resumed.losses).toHaveLength(whole.losses.length - save);
      for (const [step, loss] of resumed.losses.entries()) expect(loss / (whole.losses[save + step] ?? 0)).toBeCloseTo(1, 9);
      for (const [index, weight] of resumed.weights.entries()) expect(weight).toBeCloseTo(whole.weights[index] ?? Number.NaN, 9);
    },
  );

  test('a StatefulDataLoader goes on from its state, at any batch, and rows of a filter come once', async () => {
    const session = await PythonSession.start(
      python,
      `
from icecore.torch import IcecoreDataset
from torchdata.stateful_dataloader import StatefulDataLoader
def loader(workers, **more):
    data = IcecoreDataset(table="raw.points", url="${lake.url}", columns=["n", "x1"], **more)
    return StatefulDataLoader(data, batch_size=None, num_workers=workers)
def rows(batches):
    return [batch["n"].tolist() for batch in batches]
`,
      { directory, environment },
    );
    try {
      for (const [via, workers, taken] of [
        ['feed', 2, 7],
        ['plan', 2, 10],
        ['feed', 0, 3],
      ] as const) {
        const { whole, begun, rest } = await session.value(`
asked = dict(via="${via}", batch_size=100, seed=2, epoch=0)
first = loader(${workers}, **asked)
batches = iter(first)
begun = rows(next(batches) for _ in range(${taken}))
state = first.state_dict()
del batches
second = loader(${workers}, **asked)
second.load_state_dict(state)
{"whole": rows(loader(${workers}, **asked)), "begun": begun, "rest": rows(second)}
`);
        expect([...begun, ...rest]).toEqual(whole);
        expect(ascending(whole.flat())).toEqual(lake.numbers);
      }
      const wanted = lake.numbers.filter((n) => n % 5 === 3 && n >= 1000);
      for (const via of ['feed', 'plan']) {
        const filtered = await session.value(
          `rows(loader(2, via="${via}", where="x3 = 3 AND n >= 1000", batch_size=32, shuffle="NONE"))`,
        );
        expect(ascending(filtered.flat())).toEqual(wanted);
      }
    } finally {
      await session.stop();
    }
  });
});
