import { setImmediate } from 'node:timers/promises';
import { IpcWriter } from '../../arrow/ipc.ts';
import type { Clock } from '../../clock.ts';
import { IcecoreError } from '../../errors.ts';
import { printIdentifier } from '../../iceberg/identifier.ts';
import { planPageBytesMax, planUrlLifetimeMs } from '../../limits.ts';
import type { FileUrlSigner, FileUrls } from '../../storage/file-urls.ts';
import { parseLocation } from '../../storage/location.ts';
import type { TableSnapshotRef } from '../../tables/table.ts';
import { printFeedCursor } from '../feed/feed-cursor.ts';
import { type FeedOrder, feedShare, type TrainingFeedInput } from '../feed/feed-input.ts';
import { feedSchema } from '../feed/feed-schema.ts';
import { type FeedSources, resolveFeedRows } from '../feed/feed-source.ts';
import type { KeptGroups } from '../groups/kept-groups.ts';
import type { OpenedGroups } from '../groups/opened-groups.ts';
import { epochOrder } from '../order/epoch-order.ts';
import { orderName } from '../order/order-hash.ts';
import { type PlannedFile, plannedFile } from './training-plan-file.ts';

export interface TrainingPlansOptions {
  readonly sources: FeedSources;
  readonly groups: KeptGroups;
  readonly urls: FileUrls;
  readonly clock: Clock;
}

/** All that a reader needs to make the order of an epoch and to read its rows from Parquet by itself (contract, `TrainingPlan`). */
export interface TrainingPlan {
  /** Its snapshot is 0 for a table without one. */
  readonly source: TableSnapshotRef;
  /** An encapsulated Arrow schema message; a stream of it and the end's marker is whole. */
  readonly schema: Uint8Array;
  readonly order: FeedOrder & { readonly algorithm: string; readonly blocks: bigint };
  readonly rowsTotal: bigint;
  /** The cursor to begin at. */
  readonly start: string;
  /** When the URLs end, in microseconds since the epoch; null where they do not. */
  readonly urlsExpireAtMicros: bigint | null;
  /** Files with a matching row, in the order of their groups: at most `size`, fewer where they would be too many bytes. */
  readonly files: (size: number, after: string | null) => Promise<PlanPage>;
}

export interface PlanPage {
  readonly files: readonly (PlannedFile & { readonly key: string; readonly url: string })[];
  readonly hasMore: boolean;
  readonly total: bigint;
}

/** Plans of epochs. A plan is of the whole epoch: rank, world size, batch size and tail of the input are checked, and change nothing. */
export class TrainingPlans {
  readonly #options: TrainingPlansOptions;

  constructor(options: TrainingPlansOptions) {
    this.#options = options;
  }

  /**
   * Throws what a feed's opening throws, and FAILED_PRECONDITION, naming the file, where a reader of Parquet could not open one.
   */
  async open(input: TrainingFeedInput, signal?: AbortSignal): Promise<TrainingPlan> {
    const { sources, groups: kept, urls, clock } = this.#options;
    feedShare(input);
    const rows = await resolveFeedRows(sources, input, signal);
    const { table, order, start } = rows;
    const groups = await kept.open(rows, signal);
    const epoch = epochOrder(groups.matchingRows, order);
    if (start > BigInt(epoch.rows)) {
      throw new IcecoreError('BAD_USER_INPUT', `The cursor is at position ${start}, and the epoch has ${epoch.rows} rows.`);
    }
    refuseUnopened(groups);
    const nowMicros = clock.nowMicros();
    const signer = await urls.signer(new Date(Number(nowMicros / 1000n)), planUrlLifetimeMs);
    const rowsTotal = BigInt(epoch.rows);
    const scope = `${rows.cursor.snapshotId}/${rows.cursor.filterHash.slice(0, 16)}/`;
    return {
      source: { tableUuid: table.uuid, tableName: printIdentifier(table.identifier), snapshotId: rows.cursor.snapshotId },
      schema: new IpcWriter(feedSchema(rows, rowsTotal)).schema(),
      order: { algorithm: orderName, ...order, blocks: BigInt(epoch.blocks) },
      rowsTotal,
      start: printFeedCursor({ ...rows.cursor, position: start }),
      urlsExpireAtMicros: hasObjects(groups) ? BigInt((await signer.expiresAt()).getTime()) * 1000n : null,
      files: (size, after) => filesOf({ groups, signer, scope, signal }, size, after),
    };
  }
}

interface Paging {
  readonly groups: OpenedGroups;
  readonly signer: FileUrlSigner;
  /** What keys begin with: of another snapshot or filter they say nothing. */
  readonly scope: string;
  readonly signal: AbortSignal | undefined;
}

async function filesOf({ groups, signer, scope, signal }: Paging, size: number, after: string | null): Promise<PlanPage> {
  const { matchingFiles } = groups;
  const from = after === null ? 0 : firstBehind(matchingFiles, placeOf(after, scope));
  const files: PlanPage['files'][number][] = [];
  let bytes = 0;
  for (const index of matchingFiles.subarray(from, from + size)) {
    signal?.throwIfAborted();
    const file = await plannedFile(groups, index, signal);
    bytes += (file.skippedRows?.length ?? 0) + 100 * file.rowGroups.length;
    if (files.length > 0 && bytes > planPageBytesMax) break;
    files.push({ ...file, key: `${scope}${index}`, url: await signer.urlOf(file.path) });
    // Bitmaps of many rows take their time, and others are served meanwhile.
    if (file.skippedRows !== null) await setImmediate();
  }
  return { files, hasMore: from + files.length < matchingFiles.length, total: BigInt(matchingFiles.length) };
}

function placeOf(after: string, scope: string): number {
  const place = after.slice(scope.length);
  if (after.startsWith(scope) && /^\d{1,10}$/.test(place)) return Number(place);
  throw new IcecoreError(
    'CONFLICT',
    'The page follows one of another plan: the table moved on, or the filter is another. Give the `start` of the first page as `cursor`, and the same `where` and `split`.',
  );
}

function firstBehind(places: Uint32Array, place: number): number {
  let [low, high] = [0, places.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((places[middle] as number) <= place) low = middle + 1;
    else high = middle;
  }
  return low;
}

function hasObjects(groups: OpenedGroups): boolean {
  return groups.matchingFiles.some((index) => !isLocal(groups.files[index]?.task.file.filePath ?? ''));
}

function isLocal(location: string): boolean {
  // Most are plain: this is asked of every file.
  return location.startsWith('file:') || parseLocation(location).scheme === 'file';
}

function refuseUnopened(groups: OpenedGroups): void {
  for (const index of groups.matchingFiles) {
    const why = groups.columnsOf(index).unopened;
    if (why === null) continue;
    const { filePath } = groups.file(index).task.file;
    throw new IcecoreError(
      'FAILED_PRECONDITION',
      `The file ${filePath} ${why}, so a reader of a plan cannot open it. Compact the table, or read it by trainingBatches.`,
      { context: { file: filePath } },
    );
  }
}
