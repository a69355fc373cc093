import type { JsonObject } from './json-member.ts';
import { snapshotById } from './metadata.ts';
import { type MetadataDraft, refuseUpdate, withMembers } from './metadata-draft.ts';
import type { EncryptionKey, StatisticsFile } from './table-update.ts';

/** Lists of the metadata that are kept as they were read, and changed by what identifies their items. */
type StatisticsList = 'statistics' | 'partition-statistics';
const encryptionKeys = 'encryption-keys';

function itemsOf(extra: JsonObject, list: string): readonly unknown[] {
  const items = extra[list];
  return Array.isArray(items) ? items : [];
}

function idOf(item: unknown, member: string): unknown {
  const id = typeof item === 'object' && item !== null ? (item as JsonObject)[member] : undefined;
  return typeof id === 'number' ? BigInt(id) : id;
}

/** The kept members without the statistics of these snapshots. */
export function withoutStatistics(extra: JsonObject, snapshotIds: ReadonlySet<bigint>): JsonObject {
  const isKept = (item: unknown) => !snapshotIds.has(idOf(item, 'snapshot-id') as bigint);
  const lists = (['statistics', 'partition-statistics'] as const)
    .filter((list) => Array.isArray(extra[list]))
    .map((list) => [list, itemsOf(extra, list).filter(isKept)] as const);
  return { ...extra, ...Object.fromEntries(lists) };
}

/** Sets the statistics file of a snapshot in place of the one there was. */
export function setStatistics(draft: MetadataDraft, list: StatisticsList, file: StatisticsFile): MetadataDraft {
  if (snapshotById(draft.metadata, file.snapshotId) === undefined) {
    throw refuseUpdate(`statistics cannot be set for snapshot ${file.snapshotId}, which is not there`);
  }
  const others = itemsOf(draft.metadata.extra, list).filter((item) => idOf(item, 'snapshot-id') !== file.snapshotId);
  return withMembers(draft, { extra: { ...draft.metadata.extra, [list]: [...others, file.json] } });
}

export function removeStatistics(draft: MetadataDraft, list: StatisticsList, snapshotId: bigint): MetadataDraft {
  return withoutItem(draft, list, 'snapshot-id', snapshotId);
}

/** Adds a key (v3) unless one with its id is there. */
export function addEncryptionKey(draft: MetadataDraft, key: EncryptionKey): MetadataDraft {
  const keys = itemsOf(draft.metadata.extra, encryptionKeys);
  if (keys.some((item) => idOf(item, 'key-id') === key.keyId)) return draft;
  return withMembers(draft, { extra: { ...draft.metadata.extra, [encryptionKeys]: [...keys, key.json] } });
}

export function removeEncryptionKey(draft: MetadataDraft, keyId: string): MetadataDraft {
  return withoutItem(draft, encryptionKeys, 'key-id', keyId);
}

function withoutItem(draft: MetadataDraft, list: string, member: string, id: bigint | string): MetadataDraft {
  const items = itemsOf(draft.metadata.extra, list);
  const others = items.filter((item) => idOf(item, member) !== id);
  return others.length === items.length ? draft : withMembers(draft, { extra: { ...draft.metadata.extra, [list]: others } });
}
