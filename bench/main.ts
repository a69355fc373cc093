/** Measures beside peers: `npm run bench -- NAME [--json]`. A table, or one JSON object. */
import { parseArgs } from 'node:util';
import { type BenchReport, type BenchRow, benchText } from './bench.ts';

/** Loaded only when asked for: each brings software of its own. */
const benches: Readonly<Record<string, () => Promise<() => Promise<BenchReport | readonly BenchRow[]>>>> = {
  'point-in-time': async () => (await import('./point-in-time.ts')).benchPointInTime,
  planning: async () => (await import('./planning.ts')).benchPlanning,
  rest: async () => (await import('./rest.ts')).benchRest,
  appends: async () => (await import('./appends.ts')).benchAppends,
  upserts: async () => (await import('./upserts.ts')).benchUpserts,
  parquet: async () => (await import('./parquet.ts')).benchParquet,
  feed: async () => (await import('./feed.ts')).benchFeed,
  'feed-s3': async () => (await import('./feed-s3.ts')).benchFeedFromS3,
  shuffle: async () => (await import('./shuffle-quality.ts')).benchShuffle,
  demo: async () => (await import('./demo.ts')).benchDemo,
};

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ options: { json: { type: 'boolean', default: false } }, allowPositionals: true });
  const [name = ''] = positionals;
  const load = Object.hasOwn(benches, name) ? benches[name] : undefined;
  if (load === undefined || positionals.length !== 1) {
    throw new Error(`Say which: npm run bench -- NAME [--json]. There are: ${Object.keys(benches).join(', ')}.`);
  }
  const found = await (await load())();
  const report = 'rows' in found ? found : { rows: found };
  console.log(values.json ? JSON.stringify({ name, ...report }) : benchText(report));
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
