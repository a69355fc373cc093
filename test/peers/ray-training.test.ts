import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pythonEnvironment } from '../environment/python.ts';
import { describeWith } from '../environment/tool.ts';
import { isOf, readmeExamples } from '../python/readme-examples.ts';
import { PythonSession } from './python-session.ts';
import { pythonPath, TrainingLake } from './training-lake.ts';

const lock = new URL('../python/ray.lock', import.meta.url).pathname;

function prelude(url: string, directory: string): string {
  return `
import logging, ray, icecore.ray
ray.init(num_cpus=2, include_dashboard=False, _node_ip_address="127.0.0.1", _temp_dir="${directory}", logging_level=logging.ERROR,
    object_store_memory=200 * 1024 * 1024)
ray.data.DataContext.get_current().enable_progress_bars = False
def read(**more):
    return icecore.ray.read_training(table="raw.points", url="${url}", **more)
`;
}

describeWith(['python3'], 'Ray reads training data', () => {
  let lake: TrainingLake;
  let directory: string;
  let python: PythonSession;
  beforeAll(async () => {
    lake = await TrainingLake.start();
    directory = await mkdtemp(join(tmpdir(), 'icecore-ray-'));
    await mkdir(join(directory, 'ray'));
    python = await PythonSession.start(pythonEnvironment(lock), prelude(lake.url, join(directory, 'ray')), {
      directory,
      environment: {
        RAY_USAGE_STATS_ENABLED: '0',
        RAY_DISABLE_IMPORT_WARNING: '1',
        PYTHONPATH: pythonPath,
        ICECORE_URL: lake.url,
      },
    });
  });
  afterAll(async () => {
    await python?.value('ray.shutdown()').catch(() => undefined);
    await python?.stop();
    await lake?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  test.each(['feed', 'plan'])('each row once by two workers over the %s, and counts without reading', async (via) => {
    const asked = `via="${via}", seed=3, lanes=4, position=True`;
    const { before, blocks, tasks, counts, rows } = await python.value(`
from icecore.client import Client
from icecore.epoch_shares import PinnedEpoch
from icecore.feed_input import FeedInput
data = read(${asked})
before = data.count()
epoch = PinnedEpoch.of(FeedInput(table="raw.points", seed=3, lanes=4), Client.of("${lake.url}"))
taken = [bundle for bundle in data.iter_internal_ref_bundles()]
{"before": before, "blocks": sum(len(each.blocks) for each in taken), "tasks": [share.rows for share in epoch.shares(64)],
 "counts": [each.num_rows() for each in taken], "rows": [[row["icecore_position"], row["n"], row["kind"]] for row in data.iter_rows()]}
`);
    expect(before).toBe(lake.numbers.length);
    expect(blocks).toBeGreaterThanOrEqual(4);
    expect(tasks).toHaveLength(4);
    expect(tasks.toSorted()).toEqual(counts.toSorted());
    const inOrder = rows.toSorted(([a]: [number], [b]: [number]) => a - b);
    expect(inOrder.map(([position]: [number]) => position)).toEqual(lake.numbers.map((_, index) => index));
    expect(inOrder.map(([, n]: [number, number]) => n)).toEqual(await lake.order({ seed: '3', lanes: 4 }));
    expect(rows.every(([, n, kind]: [number, number, string]) => kind === (n % 4 === 0 ? null : `kind ${n % 3}`))).toBe(true);
  });

  test('rows of a filter as they stand, in the order of the tasks', async () => {
    const numbers = await python.value(`
ray.data.DataContext.get_current().execution_options.preserve_order = True
filtered = read(shuffle="NONE", where="n >= 500 AND n < 900", columns=["n"], override_num_blocks=3)
assert filtered.schema().names == ["n"] and filtered.count() == sum(filtered.iter_batches and 1 for _ in filtered.iter_rows())
[row["n"] for row in filtered.iter_rows()]
`);
    expect(numbers).toEqual(lake.numbers.filter((n) => n >= 500 && n < 900));
  });

  test('two workers of a training share the rows of an epoch', async () => {
    const shares = await python.value(`
@ray.remote(num_cpus=0)
def consume(part):
    return [int(n) for batch in part.iter_batches(batch_size=100) for n in batch["n"]]
ray.get([consume.remote(part) for part in read(seed=5, columns=["n"]).streaming_split(2, equal=False)])
`);
    expect(shares).toHaveLength(2);
    expect(shares.flat().toSorted((a: number, b: number) => a - b)).toEqual(lake.numbers);
  });

  test('the rest of an epoch from a cursor, and the snapshot that it was begun at', async () => {
    const whole = await lake.order({ seed: '8' });
    const { rest, count } = await python.value(`
import icecore.arrow
from icecore.cursor import Cursor
reader = icecore.arrow.read_training(table="raw.points", url="${lake.url}", seed=8, batch_size=200)
next(reader), next(reader)
begun = read(cursor=reader.cursor, position=True)
reader.close()
{"count": begun.count(), "rest": sorted([row["icecore_position"], row["n"]] for row in begun.iter_rows())}
`);
    expect(count).toBe(whole.length - 400);
    expect(rest).toEqual(whole.slice(400).map((n, index) => [index + 400, n]));
    await python.value('pinned = read(columns=["n"])');
    await lake.append();
    expect(await python.value('[pinned.count(), max(row["n"] for row in pinned.iter_rows())]')).toEqual([
      lake.numbers.length,
      Math.max(...lake.numbers),
    ]);
    expect(await python.value('read(columns=["n"]).count()')).toBe(lake.numbers.length + 1);
    expect(await python.refusal('read(where="no = 1")')).toContain('IcecoreError');
  });

  test('the examples of python/README.md', async () => {
    await lake.addReadmeTable();
    const examples = readmeExamples().filter((example) => isOf('ray', example));
    expect(examples).toHaveLength(1);
    for (const example of examples) await python.value(`${example}\nNone`);
  });
});
