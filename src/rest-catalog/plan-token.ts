import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { IcecoreError } from '../errors.ts';
import { parseExpressionJson, printExpressionJson } from '../iceberg/expression-json.ts';
import { parseJson, printJson } from '../iceberg/json.ts';
import { asArrayOf, asBoolean, asInt, asLong, asObject, asString, member, optionalMember } from '../iceberg/json-member.ts';
import type { ScanRange } from '../iceberg/scan-manifests.ts';
import { planTokenBytesMax } from '../limits.ts';
import type { PlannableScan } from './scan-request.ts';

/** A scan of one table, which a token stands for. */
export interface TokenScan {
  readonly tableUuid: string;
  readonly scan: PlannableScan;
}

/**
 * A plan's id: the whole request, packed, so that any server of the store can plan it again and none has to remember it. It
 * is no secret and needs no signature: who presents one must be allowed to read the table it names, and could ask for any
 * plan of that table anyway.
 */
export function printPlanId({ tableUuid, scan }: TokenScan): string {
  const { of, schemaId, filter, isCaseSensitive, statsFieldIds, minRows } = scan;
  const json = {
    table: tableUuid,
    ...(of === null ? {} : 'snapshotId' in of ? { snapshot: of.snapshotId } : { start: of.startExclusive, end: of.endInclusive }),
    schema: schemaId,
    ...(filter.op === 'true' ? {} : { filter: printExpressionJson(filter) }),
    ...(isCaseSensitive ? {} : { caseSensitive: false }),
    ...(statsFieldIds.length === 0 ? {} : { stats: statsFieldIds }),
    ...(minRows === null ? {} : { minRows }),
  };
  return deflateRawSync(printJson(json)).toString('base64url');
}

/** A plan task: a range of its plan's manifests. */
export function printPlanTask(planId: string, { from, untilManifest }: ScanRange): string {
  return `${from.manifest}-${from.tasks}-${untilManifest}.${planId}`;
}

/** Throws NOT_FOUND (`missing: 'plan'`) where the text is no plan of this table. */
export function parsePlanId(planId: string, tableUuid: string): PlannableScan {
  return orMissing('plan', () => unpack(planId, tableUuid));
}

/** Throws NOT_FOUND (`missing: 'planTask'`) where the text is no task of a plan of this table. */
export function parsePlanTask(planTask: string, tableUuid: string): { readonly scan: PlannableScan; readonly range: ScanRange } {
  return orMissing('planTask', () => {
    const [, manifest, tasks, until, planId = ''] = /^(\d{1,9})-(\d{1,9})-(\d{1,9})\.([\w-]+)$/.exec(planTask) ?? [];
    const range = { from: { manifest: Number(manifest), tasks: Number(tasks) }, untilManifest: Number(until) };
    if (!(range.from.manifest < range.untilManifest)) throw new Error('it is no range');
    return { scan: unpack(planId, tableUuid), range };
  });
}

/** What a token is refused with that stands for nothing here, or no longer. */
export function missingPlan(missing: 'plan' | 'planTask', cause?: unknown): IcecoreError {
  const what = missing === 'plan' ? 'plan id' : 'plan task';
  return new IcecoreError('NOT_FOUND', `The ${what} does not exist: plan the scan again.`, { context: { missing }, cause });
}

function orMissing<T>(missing: 'plan' | 'planTask', read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw missingPlan(missing, cause);
  }
}

function unpack(planId: string, tableUuid: string): PlannableScan {
  const packed = Buffer.from(planId, 'base64url');
  const text = inflateRawSync(packed, { maxOutputLength: planTokenBytesMax }).toString('utf8');
  const at = 'the plan';
  const json = asObject(parseJson(text), at);
  if (member(json, 'table', asString, at) !== tableUuid) throw new Error('it is a plan of another table');
  const snapshotId = optionalMember(json, 'snapshot', asLong, at);
  const startExclusive = optionalMember(json, 'start', asLong, at);
  const isIncremental = startExclusive !== undefined;
  return {
    of: isIncremental
      ? { startExclusive, endInclusive: member(json, 'end', asLong, at) }
      : snapshotId === undefined
        ? null
        : { snapshotId },
    schemaId: member(json, 'schema', asInt, at),
    filter: json.filter === undefined ? { op: 'true' } : parseExpressionJson(json.filter),
    isCaseSensitive: optionalMember(json, 'caseSensitive', asBoolean, at) ?? true,
    statsFieldIds: optionalMember(json, 'stats', asArrayOf(asInt), at) ?? [],
    minRows: optionalMember(json, 'minRows', asLong, at) ?? null,
  };
}
