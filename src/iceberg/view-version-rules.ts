import { IcecoreError } from '../errors.ts';
import { sqlDialects, type ViewMetadata, type ViewVersion, viewVersionById } from './view.ts';

const historyProperty = 'version.history.num-entries';
const historyDefault = 10;
const dropDialectProperty = 'replace.drop-dialect.allowed';

/** The dialects of the current version's SQL. */
export function currentDialects(metadata: ViewMetadata): readonly string[] {
  const current = viewVersionById(metadata, metadata.currentVersionId);
  return current === undefined ? [] : sqlDialects(current);
}

/** Throws BAD_USER_INPUT where a dialect would be lost: an engine that had its query would be without one. */
export function refuseLostDialects(
  before: readonly string[],
  after: readonly string[],
  properties: Readonly<Record<string, string>>,
): void {
  if (properties[dropDialectProperty]?.toLowerCase() === 'true' || before.every((dialect) => after.includes(dialect))) return;
  throw new IcecoreError(
    'BAD_USER_INPUT',
    `Cannot replace view due to loss of view dialects (${dropDialectProperty}=false):\n` +
      `Previous dialects: [${before.join(', ')}]\nNew dialects: [${after.join(', ')}]`,
    { context: { isIllegalArgument: true } },
  );
}

/**
 * The versions and the log that are kept: as many as `version.history.num-entries` says (10 where it is not set), those with the highest
 * ids, but always the current one and all that were just added; the log from behind the newest entry whose version is gone (view spec:
 * "Version log").
 */
export function keptVersions(
  metadata: Pick<ViewMetadata, 'versions' | 'versionLog' | 'currentVersionId' | 'properties'>,
  added: ReadonlySet<number>,
): Pick<ViewMetadata, 'versions' | 'versionLog'> {
  const { versions, versionLog, currentVersionId } = metadata;
  const keep = Math.max(historySize(metadata.properties), new Set([...added, currentVersionId]).size);
  if (versions.length <= keep) return { versions, versionLog };
  const rank = ({ versionId }: ViewVersion): number => (versionId === currentVersionId ? Number.POSITIVE_INFINITY : versionId);
  const kept = new Set(versions.toSorted((a, b) => rank(b) - rank(a)).slice(0, keep));
  const ids = new Set([...kept].map(({ versionId }) => versionId));
  const gap = versionLog.findLastIndex(({ versionId }) => !ids.has(versionId));
  return { versions: versions.filter((version) => kept.has(version)), versionLog: versionLog.slice(gap + 1) };
}

function historySize(properties: Readonly<Record<string, string>>): number {
  const text = properties[historyProperty];
  if (text === undefined) return historyDefault;
  const size = /^-?\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (size > 0) return size;
  throw new IcecoreError('BAD_USER_INPUT', `${historyProperty} must be positive but was ${text}`);
}
