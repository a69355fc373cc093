import { median } from '../side-by-side.ts';

/** What a reading of all rows took, over all of its clients. */
export interface Figures {
  readonly rowsPerSecond: number;
  readonly megabytesPerSecond: number;
  /** For a million rows. */
  readonly clientCpuSeconds: number;
  readonly serverCpuSeconds: number | null;
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
  readonly cpuSeconds: number;
  readonly peakBytes: number;
}

/** Clients that read at once: their rows together, over the time from the first one's start to the last one's end. */
export function figuresOf(
  clients: readonly ClientFigures[],
  server: Pick<Figures, 'serverPeakMiB' | 'latenessP99Ms' | 'idleLatenessP99Ms'> & { readonly cpuSeconds: number | null },
): Figures {
  const sum = (of: (client: ClientFigures) => number): number => clients.reduce((total, client) => total + of(client), 0);
  const most = (of: (client: ClientFigures) => number): number => Math.max(...clients.map(of));
  const seconds = most((client) => client.end) - Math.min(...clients.map((client) => client.start));
  const millions = sum((client) => client.rows) / 1e6;
  return {
    rowsPerSecond: (millions * 1e6) / seconds,
    megabytesPerSecond: sum((client) => client.bytes) / 1e6 / seconds,
    clientCpuSeconds: sum((client) => client.cpuSeconds) / millions,
    serverCpuSeconds: server.cpuSeconds === null ? null : server.cpuSeconds / millions,
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
  const peaks = rounds.map((round) => round.serverPeakMiB).filter((peak) => peak !== null);
  return {
    rowsPerSecond: of((round) => round.rowsPerSecond),
    megabytesPerSecond: of((round) => round.megabytesPerSecond),
    clientCpuSeconds: of((round) => round.clientCpuSeconds),
    serverCpuSeconds: orNull((round) => round.serverCpuSeconds),
    firstBatchMs: of((round) => round.firstBatchMs),
    gapP99Ms: of((round) => round.gapP99Ms),
    clientPeakMiB: Math.max(...rounds.map((round) => round.clientPeakMiB)),
    serverPeakMiB: peaks.length === 0 ? null : Math.max(...peaks),
    latenessP99Ms: orNull((round) => round.latenessP99Ms),
    idleLatenessP99Ms: of((round) => round.idleLatenessP99Ms),
  };
}

/** As the cells of a table. */
export function figureCells(figures: Figures): Readonly<Record<string, string>> {
  const cell = (value: number | null): string =>
    value === null ? '' : value.toLocaleString('en-US', { maximumSignificantDigits: value >= 1e6 ? 4 : 3 });
  return {
    'rows/s': cell(figures.rowsPerSecond),
    'MB/s': cell(figures.megabytesPerSecond),
    'CPU s/M rows, server': cell(figures.serverCpuSeconds),
    client: cell(figures.clientCpuSeconds),
    'first batch ms': cell(figures.firstBatchMs),
    'gap p99 ms': cell(figures.gapP99Ms),
    'peak MiB, server': cell(figures.serverPeakMiB),
    'client ': cell(figures.clientPeakMiB),
    'event loop late p99 ms': cell(figures.latenessP99Ms),
    'an idle one': cell(figures.idleLatenessP99Ms),
  };
}
