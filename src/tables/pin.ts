import { IcecoreError } from '../errors.ts';
import { parseJson } from '../iceberg/json.ts';
import { asArrayOf, asMillis, asObject, member, optionalMember } from '../iceberg/json-member.ts';
import { refByName, type SnapshotLogEntry, snapshotById, type TableMetadata } from '../iceberg/metadata.ts';
import type { Snapshot, SnapshotRef } from '../iceberg/snapshot.ts';

/** A time in which a snapshot was the current one: from inclusive, to exclusive; open where it has not ended, or its end is not known. */
export interface PinInterval {
  readonly fromMs: number;
  readonly toMs: number | null;
}

/** The property that remembers when the snapshot under the tag was current; the log that said so is cut by expiry. */
const prefix = 'icecore.pin.';

export function pinProperty(tag: string): string {
  return `${prefix}${tag}`;
}

/** The tags of a table that are pins, with what each remembers. */
export function pinsOf(metadata: TableMetadata): ReadonlyMap<string, readonly PinInterval[]> {
  const pins = new Map<string, readonly PinInterval[]>();
  for (const [key, text] of Object.entries(metadata.properties)) {
    if (key.startsWith(prefix)) pins.set(key.slice(prefix.length), parseIntervals(text, key));
  }
  return pins;
}

function parseIntervals(text: string, where: string): readonly PinInterval[] {
  return asArrayOf((item, at) => {
    const interval = asObject(item, at);
    return { fromMs: member(interval, 'fromMs', asMillis, at), toMs: optionalMember(interval, 'toMs', asMillis, at) ?? null };
  })(parseJson(text), where);
}

/** When a snapshot was the current one, as far as the log goes back. */
export function intervalsInLog(log: readonly SnapshotLogEntry[], snapshotId: bigint): readonly PinInterval[] {
  return log.flatMap((entry, index) =>
    entry.snapshotId === snapshotId ? [{ fromMs: entry.timestampMs, toMs: log[index + 1]?.timestampMs ?? null }] : [],
  );
}

/**
 * What is remembered together with what the log still says. An interval that is in both ends where the log says; one that the log
 * has lost stays as it was remembered (semantics, section 6).
 */
export function mergeIntervals(remembered: readonly PinInterval[], inLog: readonly PinInterval[]): readonly PinInterval[] {
  const byStart = new Map(remembered.map((interval) => [interval.fromMs, interval]));
  for (const interval of inLog) {
    const known = byStart.get(interval.fromMs);
    byStart.set(interval.fromMs, { fromMs: interval.fromMs, toMs: interval.toMs ?? known?.toMs ?? null });
  }
  return [...byStart.values()].sort((a, b) => a.fromMs - b.fromMs);
}

/**
 * The pin properties as they should read by this metadata: to be set before anything cuts its log. Empty where they already do.
 * Pins whose tag is gone are left alone.
 */
export function refreshedPins(metadata: TableMetadata): Readonly<Record<string, string>> {
  const updates: Record<string, string> = {};
  for (const [tag, remembered] of pinsOf(metadata)) {
    const ref = metadata.refs[tag];
    if (ref === undefined) continue;
    const text = JSON.stringify(mergeIntervals(remembered, intervalsInLog(metadata.snapshotLog, ref.snapshotId)));
    if (metadata.properties[pinProperty(tag)] !== text) updates[pinProperty(tag)] = text;
  }
  return updates;
}

/** The tag under which a table's snapshot was pinned while it was the current one at this instant, or null. */
export function pinAt(
  metadata: TableMetadata,
  instantMicros: bigint,
): { readonly tag: string; readonly snapshotId: bigint } | null {
  for (const [tag, intervals] of pinsOf(metadata)) {
    const ref = metadata.refs[tag];
    if (ref === undefined) continue;
    const covers = intervals.some(({ fromMs, toMs }) => {
      if (instantMicros < BigInt(fromMs) * 1000n) return false;
      // Open and still current, the log covers it; open and no longer current, nobody knows when it ended.
      return toMs !== null && instantMicros < BigInt(toMs) * 1000n;
    });
    if (covers) return { tag, snapshotId: ref.snapshotId };
  }
  return null;
}

/** The names of the tags that hold a snapshot. */
export function tagsOn(metadata: TableMetadata, snapshotId: bigint): readonly string[] {
  return Object.entries(metadata.refs)
    .filter(([, ref]) => ref.type === 'tag' && ref.snapshotId === snapshotId)
    .map(([name]) => name);
}

/** Throws PINNED where the table has a pin: what depends on it could not be read again. */
export function refusePinned(metadata: TableMetadata, what: string): void {
  const held = [...pinsOf(metadata).keys()].filter((tag) => metadata.refs[tag] !== undefined);
  if (held.length === 0) return;
  throw new IcecoreError(
    'PINNED',
    `${what}: its snapshots are pinned by ${held.slice(0, 10).join(', ')}. Only an erasure releases a pin.`,
    {
      context: { pins: held },
    },
  );
}

/** Throws BAD_USER_INPUT for names that Icecore gives to its pins: taken in advance, they would keep it from pinning. */
export function refuseReservedRef(ref: string): void {
  if (!/^(training-set\/|icecore-)/.test(ref)) return;
  throw new IcecoreError(
    'BAD_USER_INPUT',
    `Names such as ${ref} are for Icecore's own pins: choose one that begins neither with "training-set/" nor with "icecore-".`,
  );
}

/** Throws BAD_USER_INPUT for properties that would look like pins in a table that begins. */
export function refuseForgedPins(properties: Readonly<Record<string, string>>): void {
  const forged = Object.keys(properties).find((key) => key.startsWith(prefix));
  if (forged === undefined) return;
  throw new IcecoreError(
    'BAD_USER_INPUT',
    `The property ${forged} is Icecore's own, and says what it has pinned: leave it out.`,
    {
      context: { property: forged },
    },
  );
}

/**
 * Throws PINNED, naming the pins, where a table that goes from `before` to `after` would lose one: its snapshot, its tag, or what is
 * remembered of it. A property that would look like a pin is refused too: only Icecore makes those.
 */
export function refuseLostPins(before: TableMetadata, after: TableMetadata): void {
  const names = (metadata: TableMetadata) => Object.keys(metadata.properties).filter((key) => key.startsWith(prefix));
  const touched = [...new Set([...names(before), ...names(after)])].filter((key) => {
    const tag = key.slice(prefix.length);
    const isSameText = propertyOf(before, key) === propertyOf(after, key);
    return (
      !isSameText || !isSameRef(refByName(before, tag), refByName(after, tag)) || pinnedBy(before, tag) !== pinnedBy(after, tag)
    );
  });
  if (touched.length === 0) return;
  const pins = touched.map((key) => key.slice(prefix.length));
  throw new IcecoreError(
    'PINNED',
    `The commit would take away or change what is pinned by ${pins.slice(0, 10).join(', ')}: its snapshot, its tag or its property ` +
      `"${prefix}…". Something depends on that snapshot, and only an erasure releases a pin. Leave it in, and commit again.`,
    { context: { pins } },
  );
}

/** The very snapshot: another may have been given its id. */
function pinnedBy(metadata: TableMetadata, tag: string): Snapshot | undefined {
  const ref = refByName(metadata, tag);
  return ref === undefined ? undefined : snapshotById(metadata, ref.snapshotId);
}

function propertyOf({ properties }: TableMetadata, key: string): string | undefined {
  return Object.hasOwn(properties, key) ? properties[key] : undefined;
}

function isSameRef(left: SnapshotRef | undefined, right: SnapshotRef | undefined): boolean {
  return left?.snapshotId === right?.snapshotId && left?.type === right?.type && left?.maxRefAgeMs === right?.maxRefAgeMs;
}
