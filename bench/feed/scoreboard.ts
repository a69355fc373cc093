import { type Figures, figureCells, figuresOf, medianFigures, type ServingProcess } from './figures.ts';
import { LatenessWatch } from './lateness-watch.ts';
import { cpuSecondsOf, forgetPeak, peakBytesOf } from './process-usage.ts';
import { type Reader, startReader } from './reader-process.ts';

/** A reading that has not ended by then is stopped, and is said to have failed. */
const readingMsMax = Number(process.env.ICECORE_BENCH_PEER_MS ?? 300_000);

/** Readings whose names match; all where it is not set. */
const wanted = new RegExp(process.env.ICECORE_BENCH_ONLY ?? '');

export interface Reading {
  readonly name: string;
  /** Clients that begin at once. */
  readonly readers: readonly Reader[];
  /** What each of them has to get. */
  readonly rows: number;
  readonly server?: ServingProcess;
}

/** The figures of every reading, round by round, and what went wrong. */
export class Scoreboard {
  readonly #rounds = new Map<string, Figures[]>();
  readonly #failures = new Map<string, string>();

  /** Reads once. A reading that fails is noted and not tried again. */
  async read(reading: Reading): Promise<void> {
    const { name } = reading;
    if (this.#failures.has(name) || !wanted.test(name)) return;
    try {
      const figures = await measured(reading);
      this.#rounds.set(name, [...(this.#rounds.get(name) ?? []), figures]);
      console.error(`${name}: ${Math.round(figures.rowsPerSecond).toLocaleString('en')} rows/s`);
    } catch (error) {
      this.fail(name, error);
    }
  }

  fail(name: string, error: unknown): void {
    const complaint = (error instanceof Error ? error.message : String(error)).trim();
    console.error(`${name} could not be measured: ${complaint}`);
    this.#failures.set(name, complaint.slice(complaint.lastIndexOf('\n') + 1));
  }

  /** The medians; null where it was not measured. */
  figures(name: string): Figures | null {
    const rounds = this.#rounds.get(name);
    return rounds === undefined ? null : medianFigures(rounds);
  }

  table(): readonly Readonly<Record<string, string>>[] {
    return [...this.#rounds].map(([name, rounds]) => ({ reading: name, ...figureCells(medianFigures(rounds)) }));
  }

  notes(): readonly string[] {
    return [...this.#failures].map(([name, reason]) => `${name} could not be measured: ${reason}`);
  }
}

/** Of this process, which only waits. */
const idle = new LatenessWatch();

async function measured({ readers, rows, server }: Reading): Promise<Figures> {
  const begin = await Promise.all(readers.map((reader) => startReader(reader, readingMsMax)));
  if (server !== undefined) forgetPeak(server.pid);
  await server?.latenessP99Ms?.();
  idle.p99Ms();
  const before = server === undefined ? null : cpuSecondsOf(server.pid);
  const clients = await Promise.all(begin.map((read) => read()));
  const after = server === undefined ? null : cpuSecondsOf(server.pid);
  for (const client of clients) {
    if (client.rows !== rows) throw new Error(`${client.rows} rows were read, not ${rows}`);
  }
  return figuresOf(clients, {
    cpuSeconds:
      after === null || before === null ? null : { user: after.user - before.user, system: after.system - before.system },
    serverPeakMiB: server === undefined ? null : peakBytesOf(server.pid) / 2 ** 20,
    idleLatenessP99Ms: idle.p99Ms(),
    latenessP99Ms: (await server?.latenessP99Ms?.()) ?? null,
  });
}
