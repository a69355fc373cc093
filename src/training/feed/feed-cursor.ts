import { IcecoreError } from '../../errors.ts';
import { parseJson } from '../../iceberg/json.ts';
import { canonicalJson, sha256Hex } from '../../ledger/canonical-json.ts';
import { feedLanesMax } from '../../limits.ts';
import { orderName } from '../order/order-hash.ts';
import { defaultOrder, type FeedOrder, type Shuffle } from './feed-input.ts';

/** The end of a global batch: the same on every rank, whatever the columns, the batch size and the world size. */
export interface FeedCursor extends FeedOrder {
  /** 0 for a table without one. */
  readonly snapshotId: bigint;
  /** Hex SHA-256 over the canonical JSON of the predicate and the split. */
  readonly filterHash: string;
  /** Rows of the order that lie before it. */
  readonly position: bigint;
}

const checksumDigits = 8;

/** `<base64url of JSON>.<first 8 hex digits of the SHA-256 of what stands before the dot>`; the JSON is a list, see the code. */
export function printFeedCursor(cursor: FeedCursor, order = orderName): string {
  const { snapshotId, filterHash, shuffle, seed, epoch, lanes, position } = cursor;
  const members = [order, String(snapshotId), filterHash, shuffle, String(seed), epoch, lanes, String(position)];
  const body = Buffer.from(JSON.stringify(members)).toString('base64url');
  return `${body}.${checksumOf(body)}`;
}

/** Throws BAD_USER_INPUT where the text is no cursor or was damaged, CONFLICT where it is one of another order. */
export function parseFeedCursor(text: string, order = orderName): FeedCursor {
  const [body = '', checksum] = text.split('.');
  if (checksum !== checksumOf(body) || text !== `${body}.${checksum}`) throw damaged();
  const [name, snapshotId, filterHash, shuffle, seed, epoch, lanes, position] = membersOf(body);
  if (name !== order) {
    if (typeof name !== 'string' || !/^icecore-order\/\d{1,9}$/.test(name)) throw damaged();
    throw new IcecoreError(
      'CONFLICT',
      `The cursor is of the order ${name}, and this server reads in the order ${order}. Begin the epoch anew.`,
    );
  }
  // The checksum is no signature: anybody can make a cursor of their own.
  const isCursor =
    [snapshotId, filterHash, shuffle, seed, position].every((text) => typeof text === 'string') &&
    [snapshotId, position].every((whole) => /^\d{1,19}$/.test(String(whole))) &&
    /^-?\d{1,19}$/.test(String(seed)) &&
    ['NONE', 'WINDOWED', 'FULL'].includes(String(shuffle)) &&
    BigInt.asIntN(64, BigInt(String(seed))) === BigInt(String(seed)) &&
    Number.isInteger(epoch) &&
    Number(epoch) >= 0 &&
    Number(epoch) < 2 ** 31 &&
    Number.isInteger(lanes) &&
    Number(lanes) >= 1 &&
    Number(lanes) <= feedLanesMax &&
    Number.isInteger(Math.log2(Number(lanes)));
  if (!isCursor) throw damaged();
  return {
    snapshotId: BigInt(String(snapshotId)),
    filterHash: String(filterHash),
    shuffle: shuffle as Shuffle,
    seed: BigInt(String(seed)),
    epoch: Number(epoch),
    lanes: Number(lanes),
    position: BigInt(String(position)),
  };
}

function membersOf(body: string): readonly unknown[] {
  try {
    const members = parseJson(Buffer.from(body, 'base64url').toString('utf8'));
    if (Array.isArray(members)) return members;
  } catch {
    // Nor is what is no JSON.
  }
  throw damaged();
}

export function filterHash(filter: unknown): string {
  return sha256Hex(canonicalJson(filter));
}

/**
 * The order to go on in. What the cursor holds may be left out beside it; a default counts as left out, since the API fills it in.
 * Throws CONFLICT for what is given and differs.
 */
export function resumedOrder(cursor: FeedCursor, asked: FeedOrder): FeedOrder {
  const resume = <Name extends keyof FeedOrder>(name: Name): FeedOrder[Name] => {
    if (asked[name] !== cursor[name] && asked[name] !== defaultOrder[name]) throw differs(name, cursor[name], asked[name]);
    return cursor[name];
  };
  return { shuffle: resume('shuffle'), seed: resume('seed'), epoch: resume('epoch'), lanes: resume('lanes') };
}

export function differs(what: string, held: unknown, given: unknown): IcecoreError {
  return new IcecoreError(
    'CONFLICT',
    `The cursor was made with ${what} ${String(held)}, and ${String(given)} is given. Leave it out, or begin the epoch anew.`,
    { context: { [what]: String(held) } },
  );
}

function checksumOf(body: string): string {
  return sha256Hex(`icecore-cursor ${body}`).slice(0, checksumDigits);
}

function damaged(): IcecoreError {
  return new IcecoreError(
    'BAD_USER_INPUT',
    'This is no cursor of a training feed, or not all of it. Give one as a batch carried it.',
  );
}
