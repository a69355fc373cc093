import type { AuditRow } from '../audit/audit-entry.ts';
import type { LineageKind, LineageRef } from '../lineage/lineage-record.ts';
import { mayReadName } from '../tables/readable.ts';
import { hiddenThings, type Shown } from './hidden-things.ts';

/** Acts whose payload tells of nothing but their subject. What others tell of may be of tables that a reader of the subject may not read. */
const tellOfTheirSubject: ReadonlySet<string> = new Set([
  'createTable',
  'alterTable',
  'dropTable',
  'writeRows',
  'setSnapshotRef',
  'rollbackTable',
  'compactTable',
  'expireSnapshots',
  'rewriteManifests',
  'createFeatureTable',
  'updateFeatureTable',
  'createFeatureSet',
  'registerModel',
  'updateModel',
  'submitModelVersion',
  'reviewModelVersion',
]);

/**
 * The entries of the audit chain that the caller at hand may see: those about things that show to them, and their own refused attempts. A
 * payload is left out where it may tell of other things; its digest stays.
 */
export async function shownEntries(shown: Shown, rows: readonly AuditRow[]): Promise<readonly AuditRow[]> {
  const { access } = shown.tables;
  if (access.mayReadAll()) return rows;
  const judged = rows.map((row) => ({ row, refs: refsOf(row) }));
  const refs = judged.flatMap((each) => each.refs);
  const hidden = await hiddenThings(shown, refs);
  let next = 0;
  const seen: AuditRow[] = [];
  for (const { row, refs: own } of judged) {
    const isHidden = hidden.slice(next, next + own.length).some((each) => each);
    next += own.length;
    if (own.length === 0 ? !isShownByText(shown, row) : isHidden) continue;
    seen.push(isPayloadShown(shown, row) ? row : { ...row, payload: null });
  }
  return seen;
}

/** What an entry is about, where that is something with an id of its own. */
function refsOf(row: AuditRow): readonly LineageRef[] {
  const [, kind = '', id = '', version] = /^([a-z_]+)\/(.*?)(?:@([^@]*))?$/s.exec(row.subject) ?? [];
  switch (kind) {
    case 'table':
      return isUuid(id) ? [{ kind: 'TABLE', uuid: id, version: null, name: recordedName(row) ?? id }] : [];
    case 'run':
      return [{ kind: 'RUN', uuid: id, version: null, name: id }];
    case 'model':
      return [{ kind: 'MODEL_VERSION', uuid: id, version: null, name: id }];
    case 'model_version':
    case 'feature_set':
    case 'training_set':
      return [{ kind: kind.toUpperCase() as LineageKind, uuid: id, version: version ?? null, name: id }];
    default:
      return [];
  }
}

/** What is filed under a name: attempts that came to nothing, namespaces, views. */
function isShownByText({ tables }: Shown, row: AuditRow): boolean {
  const { access } = tables;
  const [, kind, text = ''] = /^([a-z_]+)\/(.*)$/s.exec(row.subject) ?? [];
  if (row.outcome !== 'SUCCEEDED' && row.actor_id === access.permissions.subject) return true;
  if (kind === 'namespace') {
    const parts = payloadOf(row).name;
    return Array.isArray(parts) && access.mayReadNamespace(parts.map(String));
  }
  const name = kind === 'table' ? text : kind === 'view' ? recordedName(row) : null;
  return name !== null && mayReadName(tables, name);
}

function isPayloadShown({ tables }: Shown, row: AuditRow): boolean {
  if (!tellOfTheirSubject.has(row.action)) return false;
  const name = recordedName(row);
  return name === null || !row.subject.startsWith('table/') || mayReadName(tables, name);
}

/** The name that a table or view had then. */
function recordedName(row: AuditRow): string | null {
  const { table, featureTable, name } = payloadOf(row);
  return [table, featureTable, name].find((each) => typeof each === 'string') ?? null;
}

function payloadOf({ payload }: AuditRow): {
  readonly table?: unknown;
  readonly featureTable?: unknown;
  readonly name?: unknown;
} {
  return payload === null ? {} : JSON.parse(payload);
}

function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
}
