import type { BlockCache } from '../../arrow/block-cache.ts';
import { IcecoreError } from '../../errors.ts';
import type { NestedField } from '../../iceberg/type.ts';
import { feedDecodeTriesMax, fullShuffleGroupsAhead } from '../../limits.ts';
import type { FeedDecodes } from '../feed/feed-decodes.ts';
import type { FeedPool, FeedWorker } from '../feed/feed-pool.ts';
import { FeedWindow } from '../feed/feed-window.ts';
import type { FeedGroups } from '../groups/feed-groups.ts';
import type { DealtFile } from './full-shuffle-dealer.ts';
import type { FullShufflePlan } from './full-shuffle-plan.ts';

/** What a full shuffle is made by. */
export interface FullShuffleEngine {
  readonly cache: BlockCache;
  readonly pool: FeedPool;
  readonly decodes: FeedDecodes;
}

export interface FullShuffleRows {
  readonly plan: FullShufflePlan;
  readonly groups: FeedGroups;
  readonly columns: readonly NestedField[];
}

export interface Dealing extends FullShuffleRows {
  /** The buckets that are wanted. */
  readonly buckets: readonly number[];
  readonly dealers: number;
  /** Hears of the rows of each group that is dealt. */
  readonly onDealt: (rowCount: number) => void;
  /** Gets the files that are made, also where others fail. */
  readonly dealt: DealtFile[];
}

interface WantedGroup {
  readonly place: number;
  /** Its first row among all of the epoch. */
  readonly firstRow: number;
  /** Places of the groups behind it. */
  readonly soon: readonly number[];
}

let worksBegun = 0;

/** Deals the rows of all groups to buckets, each worker every so-manieth group. Throws what the first that fails throws; the others end. */
export async function dealGroups(engine: FullShuffleEngine, dealing: Dealing, signal: AbortSignal): Promise<void> {
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const works = engine.pool.workers().map(async (worker, dealer) => {
    try {
      dealing.dealt.push(...(await dealOn(engine, dealing, worker, dealer, either)));
    } catch (error) {
      stop.abort(error);
    }
  });
  await Promise.all(works);
  either.throwIfAborted();
}

async function dealOn(
  { cache, decodes }: FullShuffleEngine,
  dealing: Dealing,
  worker: FeedWorker,
  dealer: number,
  signal: AbortSignal,
): Promise<readonly DealtFile[]> {
  const { plan, groups, columns, buckets, dealers, onDealt } = dealing;
  const work = ++worksBegun;
  const window = new FeedWindow(groups, cache, decodes);
  const abort = () => window.close();
  signal.addEventListener('abort', abort, { once: true });
  // It holds what is dealt, also where it has nothing to do.
  worker.feeds++;
  try {
    const { directory } = cache;
    await worker.call('deal-open', { plan, columns, dealers, directory, work, dealer, buckets }, signal);
    for (const group of groupsOf(dealing, dealer)) {
      if (!(await dealGroup(worker, work, group, window, signal))) throw lostGroup(groups, group.place);
      onDealt(groups.matchingRows[group.place] ?? 0);
    }
    return await worker.call('deal-finish', { work }, signal);
  } catch (error) {
    if (worker.isAlive) worker.call('deal-abandon', { work }).catch(() => undefined);
    throw error;
  } finally {
    worker.feeds--;
    signal.removeEventListener('abort', abort);
    window.close();
  }
}

/** False where its file is lost each time that it is made. */
async function dealGroup(
  worker: FeedWorker,
  work: number,
  { place, firstRow, soon }: WantedGroup,
  window: FeedWindow,
  signal: AbortSignal,
): Promise<boolean> {
  let from = 0;
  for (let tries = 0; tries < feedDecodeTriesMax; tries++) {
    const [file] = await window.files(new Set([place]), soon);
    signal.throwIfAborted();
    if (file === undefined) return false;
    const { path, key } = file;
    const answer = await worker.call('deal-group', { work, path, key, firstRow, from }, signal);
    if (answer.isWhole) return true;
    from = answer.blocks;
    window.lose(place);
  }
  return false;
}

/** A dealer's share of the groups with a row. */
function groupsOf({ groups, dealers }: Dealing, dealer: number): readonly WantedGroup[] {
  let [firstRow, count] = [0, 0];
  const mine: { place: number; firstRow: number }[] = [];
  for (const [place, rowCount] of groups.matchingRows.entries()) {
    if (rowCount > 0 && count++ % dealers === dealer) mine.push({ place, firstRow });
    firstRow += rowCount;
  }
  return mine.map((group, index) => {
    const soon = mine.slice(index + 1, index + 1 + fullShuffleGroupsAhead);
    return { ...group, soon: soon.map(({ place }) => place) };
  });
}

function lostGroup(groups: FeedGroups, place: number): IcecoreError {
  return new IcecoreError('INTERNAL', `The rows of ${groups.group(place).location} are gone each time that they were decoded.`, {
    retryable: true,
  });
}
