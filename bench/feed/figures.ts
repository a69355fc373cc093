import { median } from '../side-by-side.ts';
import type { CpuSeconds } from './process-usage.ts';

/** What a reading of all rows took, over all of its clients. */
export interface Figures {
  readonly rowsPerSecond: number;
  readonly megabytesPerSecond: number;
  /** For a million rows. */
  readonly clientCpuSeconds: CpuSeconds;
  readonly serverCpuSeconds: CpuSeconds | null;
  readonly firstBatchMs: number;
  readonly gapP99Ms: number;
  readonly clientPeakMiB: number;
  readonly serverPeakMiB: number | null;
  readonly latenessP99Ms: number | null;
  /** The same of a process that does nothing: what the machine itself makes late. */
  readonly idleLatenessP99Ms: number;
}

/** A process that readers read from. */
export interface ServingProcess {
  readonly pid: number;
  readonly url: string;
  /** Of its event loop, where it has one that is watched. */
  latenessP99Ms?(): Promise<number>;
}

/** What `measure.py` prints. */
export interface ClientFigures {
  readonly rows: number;
  readonly bytes: number;
  /** Of a clock that all processes share. */
  readonly start: number;
  readonly end: number;
  readonly firstBatchSeconds: number;
  readonly gapP99Seconds: number;
  readonly cpuSeconds: CpuSeconds;
  readonly peakBytes: number;
}

/** Clients that read at once: their rows together, over the time from the first one's start to the last one's end. */
export function figuresOf(
  clients: readonly ClientFigures[],
  server: Pick<Figures, 'serverPeakMiB' | 'latenessP99Ms' | 'idleLatenessP99Ms'> & { readonly cpuSeconds: CpuSeconds | null },
): Figures {
  const sum = (of: (client: ClientFigures) => number): number => clients.reduce((total, client) => total + of(client), 0);
  const most = (of: (client: ClientFigures) => number): number => Math.max(...clients.map(of));
  const seconds = most((client) => client.end) - Math.min(...clients.map((client) => client.start));
  const millions = sum((client) => client.rows) / 1e6;
  return {
    rowsPerSecond: (millions * 1e6) / seconds,
    megabytesPerSecond: sum((client) => client.bytes) / 1e6 / seconds,
    clientCpuSeconds: {
      user: sum((client) => client.cpuSeconds.user) / millions,
      system: sum((client) => client.cpuSeconds.system) / millions,
    },
    serverCpuSeconds:
      server.cpuSeconds === null
        ? null
        : { user: server.cpuSeconds.user / millions, system: server.cpuSeconds.system / millions },
    firstBatchMs: most((client) => client.firstBatchSeconds) * 1000,
    gapP99Ms: most((client) => client.gapP99Seconds) * 1000,
    clientPeakMiB: most((client) => client.peakBytes) / 2 ** 20,
    serverPeakMiB: server.serverPeakMiB,
    latenessP99Ms: server.latenessP99Ms,
    idleLatenessP99Ms: server.idleLatenessP99Ms,
  };
}

/** Each figure's median over the rounds, but the most memory of any. */
export function medianFigures(rounds: readonly Figures[]): Figures {
  const of = (figure: (round: Figures) => number): number => median(rounds.map(figure));
  const orNull = (figure: (round: Figures) => number | null): number | null => {
    const values = rounds.map(figure).filter((value) => value !== null);
    return values.length === 0 ? null : median(values);
  };
  const servers = rounds.map((round) => round.serverCpuSeconds).filter((cpu) => cpu !== null);
  const peaks = rounds.map((round) => round.serverPeakMiB).filter((peak) => peak !== null);
  return {
    rowsPerSecond: of((round) => round.rowsPerSecond),
    megabytesPerSecond: of((round) => round.megabytesPerSecond),
    clientCpuSeconds: medianCpu(rounds.map((round) => round.clientCpuSeconds)),
    serverCpuSeconds: servers.length === 0 ? null : medianCpu(servers),
    firstBatchMs: of((round) => round.firstBatchMs),
    gapP99Ms: of((round) => round.gapP99Ms),
    clientPeakMiB: Math.max(...rounds.map((round) => round.clientPeakMiB)),
    serverPeakMiB: peaks.length === 0 ? null : Math.max(...peaks),
    latenessP99Ms: orNull((round) => round.latenessP99Ms),
    idleLatenessP99Ms: of((round) => round.idleLatenessP99Ms),
  };
}

/** That of the round in the middle, by both together: of an even number, between two. */
function medianCpu(rounds: readonly CpuSeconds[]): CpuSeconds {
  const ordered = rounds.toSorted((one, other) => allCpu(one) - allCpu(other));
  const middle = [ordered[Math.ceil(ordered.length / 2) - 1], ordered[Math.floor(ordered.length / 2)]];
  const mean = (of: (cpu: CpuSeconds) => number): number => middle.reduce((sum, cpu) => sum + (cpu ? of(cpu) / 2 : 0), 0);
  return { user: mean(({ user }) => user), system: mean(({ system }) => system) };
}

/** User's and system's. */
export function allCpu({ user, system }: CpuSeconds): number {
  return user + system;
}

/** As the cells of a table. */
export function figureCells(figures: Figures): Readonly<Record<string, string>> {
  const cell = (value: number | null): string =>
    value === null ? '' : value.toLocaleString('en-US', { maximumSignificantDigits: value >= 1e6 ? 4 : 3 });
  const { serverCpuSeconds: server, clientCpuSeconds: client } = figures;
  return {
    'rows/s': cell(figures.rowsPerSecond),
    'MB/s': cell(figures.megabytesPerSecond),
    'CPU s/M rows, server': cell(server === null ? null : allCpu(server)),
    client: cell(allCpu(client)),
    'user, server': cell(server?.user ?? null),
    'client  ': cell(client.user),
    'system, server': cell(server?.system ?? null),
    'client   ': cell(client.system),
    'first batch ms': cell(figures.firstBatchMs),
    'gap p99 ms': cell(figures.gapP99Ms),
    'peak MiB, server': cell(figures.serverPeakMiB),
    'client ': cell(figures.clientPeakMiB),
    'event loop late p99 ms': cell(figures.latenessP99Ms),
    'an idle one': cell(figures.idleLatenessP99Ms),
  };
}
