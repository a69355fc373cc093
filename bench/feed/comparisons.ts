import { type BenchRow, benchRow } from '../bench.ts';
import { allCpu, type Figures } from './figures.ts';
import { ourNames } from './ours.ts';
import { peerNames } from './peers.ts';
import type { Scoreboard } from './scoreboard.ts';

/** A feed's memory on the server, and how late its event loop may be (design.md, issue 6). */
const memoryGoalMiB = 1000;
const latenessGoalMs = 20;

/** Beside each peer, with design.md's goals; what was not measured is left out. */
export function comparisons(board: Scoreboard, clientCounts: readonly number[]): readonly BenchRow[] {
  const rows: BenchRow[] = [];
  const beside = (
    work: string,
    peer: string,
    unit: BenchRow['unit'],
    of: (figures: Figures) => number,
    ofPeer: (figures: Figures) => number,
    goal?: number,
    ours = work,
  ): void => {
    const [mine, theirs] = [board.figures(ours), board.figures(peer)];
    if (mine === null || theirs === null) return;
    rows.push(benchRow({ work, ours: of(mine), unit, peer, peerValue: ofPeer(theirs), ...(goal === undefined ? {} : { goal }) }));
  };
  const speed = (work: string, peer: string, goal?: number): void =>
    beside(work, peer, 'rows/s', rowsPerSecond, rowsPerSecond, goal);
  const cpu = (work: string, whose: string, of: (figures: Figures) => number): void =>
    beside(`${work}, CPU of a million rows, ${whose}`, peerNames.dataset, 's', of, clientCpu, 1, work);

  speed(ourNames.firstInOrder, peerNames.flight, 1.3);
  speed(ourNames.firstShuffled, peerNames.flight, 1.3);
  for (const work of [ourNames.firstInOrder, ourNames.firstShuffled]) {
    cpu(work, 'server', serverCpu);
    cpu(work, 'server and client', (figures) => serverCpu(figures) + clientCpu(figures));
  }
  speed(ourNames.secondInOrder, peerNames.flight);
  speed(ourNames.secondShuffled, peerNames.flight);
  speed(ourNames.inOrder, peerNames.flight, 3);
  speed(ourNames.shuffled, peerNames.flight, 2);
  speed(ourNames.plan, peerNames.parquet, 0.95);
  speed(ourNames.inOrder, peerNames.lance, 0.5);
  speed(ourNames.tensors, peerNames.mosaic, 50);
  speed(ourNames.tensors, peerNames.mosaicNoWorkers);
  for (const peer of [peerNames.dataset, peerNames.datasetOneThread, peerNames.pyiceberg, peerNames.duckdb, peerNames.ray]) {
    speed(ourNames.firstInOrder, peer);
  }
  for (const clients of clientCounts) {
    for (const work of [ourNames.inOrder, ourNames.shuffled]) {
      speed(byClients(work, clients), byClients(peerNames.flight, clients));
    }
  }
  return [...rows, ...bounds(board, clientCounts)];
}

/** What a reading of several clients is called. */
export function byClients(name: string, clients: number): string {
  return clients === 1 ? name : `${name}, ${clients} clients`;
}

function bounds(board: Scoreboard, clientCounts: readonly number[]): readonly BenchRow[] {
  const rows: BenchRow[] = [];
  const names = [
    ourNames.firstInOrder,
    ourNames.firstShuffled,
    ourNames.inOrder,
    ourNames.shuffled,
    ourNames.firstFull,
    ourNames.full,
    ourNames.tensors,
  ];
  const severals = clientCounts.flatMap((clients) =>
    [ourNames.inOrder, ourNames.shuffled].map((name) => byClients(name, clients)),
  );
  for (const name of [...names, ...severals]) {
    const figures = board.figures(name);
    if (figures === null) continue;
    const limit = (what: string, ours: number | null, unit: 'MiB' | 'ms', peerValue: number): void => {
      if (ours !== null)
        rows.push(benchRow({ work: `${name}, ${what}`, ours, unit, peer: 'what is allowed', peerValue, goal: 1 }));
    };
    limit('memory of the server', figures.serverPeakMiB, 'MiB', memoryGoalMiB);
    limit('event loop late, p99', figures.latenessP99Ms, 'ms', latenessGoalMs);
  }
  return rows;
}

function rowsPerSecond(figures: Figures): number {
  return figures.rowsPerSecond;
}

function serverCpu(figures: Figures): number {
  return figures.serverCpuSeconds === null ? Number.NaN : allCpu(figures.serverCpuSeconds);
}

function clientCpu(figures: Figures): number {
  return allCpu(figures.clientCpuSeconds);
}
