import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { pythonEnvironment } from '../test/environment/python.ts';
import type { BenchReport } from './bench.ts';

const run = promisify(execFile);
const groups = 128;
/** All of a group; fewer to try the bench itself. */
const groupRows = Number(process.env.ICECORE_BENCH_ROWS ?? 128 * 32_768) / groups;
const seeds = 3;

/** What `quality.py` prints. */
interface Quality {
  readonly order: string;
  readonly displacements: number;
  readonly lag1: number;
  readonly lag8: number;
  readonly lag64: number;
  readonly lag1024: number;
  readonly batches: number;
  readonly accuracy: number;
  readonly worst: number;
}

/**
 * How well the orders of an epoch mix rows that are sorted by their label, and what a small model learns from one epoch of each: Icecore's
 * shuffles, MosaicML's py1e by its own code, and a shuffle buffer. What the figures mean stands in quality.py.
 */
export async function benchShuffle(): Promise<BenchReport> {
  const python = pythonEnvironment(fileURLToPath(new URL('./feed/streaming.lock', import.meta.url)));
  const script = fileURLToPath(new URL('./shuffle/quality.py', import.meta.url));
  const { stdout } = await run(python, [script, String(groups), String(groupRows), String(seeds)], {
    env: { ...process.env, PYTHONPATH: fileURLToPath(new URL('../python', import.meta.url)), PYTHONDONTWRITEBYTECODE: '1' },
    maxBuffer: 16 * 1024 * 1024,
  });
  const found = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Quality);
  return {
    rows: [],
    figures: found.map((quality) => ({
      order: quality.order,
      displacements: quality.displacements.toFixed(3),
      'lag 1': quality.lag1.toFixed(3),
      'lag 8': quality.lag8.toFixed(3),
      'lag 64': quality.lag64.toFixed(3),
      'lag 1024': quality.lag1024.toFixed(3),
      batches: quality.batches.toFixed(2),
      accuracy: `${(quality.accuracy * 100).toFixed(1)} %`,
      worst: `${(quality.worst * 100).toFixed(1)} %`,
    })),
    notes: [`${(groups * groupRows).toLocaleString('en')} rows in ${groups} groups, ${seeds} seeds.`],
  };
}
