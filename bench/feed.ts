import { createReadStream } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import type { BenchReport } from './bench.ts';
import { byClients, comparisons } from './feed/comparisons.ts';
import { FlightServer } from './feed/flight-server.ts';
import { IcecoreServer } from './feed/icecore-server.ts';
import { metadataLocation, ourNames, ourReading, ourTensors } from './feed/ours.ts';
import { PagePrices } from './feed/page-prices.ts';
import { batchRows, installPythons, lancePeer, localPeers, type Pythons, peerNames, slowPeers } from './feed/peers.ts';
import { type FeedRows, feedRows } from './feed/rows.ts';
import { type Reading, Scoreboard } from './feed/scoreboard.ts';

/** All of them; fewer to try the bench itself. */
const rowCount = Number(process.env.ICECORE_BENCH_ROWS ?? 20_000_000);
const rounds = Number(process.env.ICECORE_BENCH_ROUNDS ?? 3);
const clientCounts = [2, 4];

/**
 * The feed and the plan, read by the Python client over HTTP, beside others on the same 60 Parquet files, which the page cache holds:
 * rounds of every reading in turn, so that a slow moment of the machine hits all; the slowest, and several clients at once, in one round.
 */
export async function benchFeed(): Promise<BenchReport> {
  const loadBefore = loadavg()[0] ?? 0;
  const board = new Scoreboard();
  const prices = new PagePrices();
  const pythons = installPythons(board);
  if (pythons.readers === null) return { rows: [], notes: board.notes() };
  const rows = await feedRows(rowCount);
  await warm(rows);
  const flight = await FlightServer.start(pythons.readers, rows.files);
  try {
    const lance = await lancePeer(rows, pythons.readers, board);
    for (let round = 0; round < rounds; round++) {
      console.error(`round ${round + 1} of ${rounds}`);
      await readRound(board, prices, rows, pythons.readers, flight, lance, round);
    }
    await readOnce(board, rows, { ...pythons, readers: pythons.readers }, flight);
  } finally {
    await flight.stop();
  }
  return {
    rows: comparisons(board, clientCounts),
    figures: board.table(),
    notes: [...board.notes(), ...notes(prices), machine(loadBefore)],
  };
}

function notes(prices: PagePrices): readonly string[] {
  const note = prices.note(rowCount);
  return note === null ? [] : [note];
}

function machine(loadBefore: number): string {
  return `${rowCount.toLocaleString('en')} rows, medians of ${rounds} rounds, on ${availableParallelism()} cores with a load of ${loadBefore.toFixed(1)} before.`;
}

/**
 * Each round has servers of its own, with empty caches. The peers' server serves all rounds: so a later epoch is also read by a server that
 * has compiled what it runs, and a second one by a server that has not.
 */
async function readRound(
  board: Scoreboard,
  prices: PagePrices,
  rows: FeedRows,
  python: string,
  flight: FlightServer,
  lance: Reading | null,
  round: number,
): Promise<void> {
  const shuffled = await IcecoreServer.start(rows.directory);
  try {
    prices.measure(rows.directory);
    await board.read(ourReading(rows, shuffled, python, { name: ourNames.firstShuffled, shuffle: 'WINDOWED' }));
    await prices.wrote(shuffled.feedCache);
  } finally {
    await shuffled.stop();
  }
  const server = await IcecoreServer.start(rows.directory);
  try {
    const epoch = 2 * round + 1;
    const second = { shuffle: 'NONE', epoch } as const;
    const later = { ...second, epoch: epoch + 1 };
    prices.measure(rows.directory);
    const ours = [
      ourReading(rows, server, python, { name: ourNames.firstInOrder, shuffle: 'NONE' }),
      ourReading(rows, server, python, { name: ourNames.secondInOrder, ...second }),
      ourReading(rows, server, python, { name: ourNames.inOrder, ...later }),
      ourReading(rows, server, python, { name: ourNames.secondShuffled, ...second, shuffle: 'WINDOWED' }),
      ourReading(rows, server, python, { name: ourNames.shuffled, ...later, shuffle: 'WINDOWED' }),
      ourReading(rows, server, python, { name: ourNames.plan, ...later, shuffle: 'WINDOWED', via: 'plan' }),
    ];
    const peers = [flightReading(rows, python, flight, 1), ...localPeers(rows, python, await metadataLocation(server))];
    if (lance !== null) peers.splice(2, 0, lance);
    for (let turn = 0; turn < Math.max(ours.length, peers.length); turn++) {
      for (const reading of [ours[turn], peers[turn]]) if (reading !== undefined) await board.read(reading);
    }
  } finally {
    await server.stop();
  }
}

async function readOnce(
  board: Scoreboard,
  rows: FeedRows,
  pythons: Pythons & { readonly readers: string },
  flight: FlightServer,
): Promise<void> {
  const server = await IcecoreServer.start(rows.directory);
  const python = pythons.readers;
  try {
    // Fills the cache.
    await board.read(ourReading(rows, server, python, { name: ourNames.firstInOrder, shuffle: 'NONE' }));
    for (const clients of clientCounts) {
      const read = (name: string, shuffle: 'NONE' | 'WINDOWED'): Promise<void> =>
        board.read(ourReading(rows, server, python, { name: byClients(name, clients), shuffle, clients }));
      await read(ourNames.inOrder, 'NONE');
      await board.read(flightReading(rows, python, flight, clients));
      await read(ourNames.shuffled, 'WINDOWED');
    }
    for (const name of [ourNames.firstFull, ourNames.full])
      await board.read(ourReading(rows, server, python, { name, shuffle: 'FULL' }));
    if (pythons.streaming !== null) await board.read(ourTensors(rows, server, pythons.streaming));
    for (const reading of await slowPeers(rows, pythons, board)) await board.read(reading);
  } finally {
    await server.stop();
  }
}

function flightReading(rows: FeedRows, python: string, server: FlightServer, clients: number): Reading {
  const reader = { python, module: 'flight', options: { url: server.url, batchSize: batchRows } };
  return {
    name: byClients(peerNames.flight, clients),
    rows: rows.rows,
    readers: Array<typeof reader>(clients).fill(reader),
    server,
  };
}

/** Into the page cache. */
async function warm({ files }: FeedRows): Promise<void> {
  for (const file of files) for await (const _ of createReadStream(file, { highWaterMark: 1 << 22 }));
}
