/**
 * Loaded into a server by `--import`: at SIGUSR2 it writes, to the file that ICECORE_BENCH_LATENESS_FILE names, how late the event loop of the
 * main thread was since the last time, and begins anew. Lateness is that of an event that comes at any moment: a stall of 100 ms counts
 * for each of the 20 ticks that it swallowed, not for one.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const tickMs = 5;
const file = process.env.ICECORE_BENCH_LATENESS_FILE;

if (isMainThread && file !== undefined) {
  let latenesses: number[] = [];
  let due = performance.now() + tickMs;
  const tick = (): void => {
    const now = performance.now();
    for (; due <= now; due += tickMs) latenesses.push(now - due);
    setTimeout(tick, Math.max(0, due - now)).unref();
  };
  setTimeout(tick, tickMs).unref();
  process.on('SIGUSR2', () => {
    const sorted = latenesses.sort((a, b) => a - b);
    latenesses = [];
    const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
    writeWhole(file, JSON.stringify({ ticks: sorted.length, medianMs: at(0.5), p99Ms: at(0.99), maxMs: at(1) }));
  });
  writeWhole(`${file}.pid`, String(process.pid));
}

function writeWhole(path: string, text: string): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}
