/**
 * Loaded into a server by `--import`: at SIGUSR2 it writes, to the file that ICECORE_BENCH_LATENESS_FILE names, how late the event loop of the
 * main thread was since the last time.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import { LatenessWatch } from './lateness-watch.ts';

const file = process.env.ICECORE_BENCH_LATENESS_FILE;

if (isMainThread && file !== undefined) {
  const watch = new LatenessWatch();
  process.on('SIGUSR2', () => writeWhole(file, JSON.stringify({ p99Ms: watch.p99Ms() })));
  writeWhole(`${file}.pid`, String(process.pid));
}

function writeWhole(path: string, text: string): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}
