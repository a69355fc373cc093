import type { LineageRef } from '../lineage/lineage-record.ts';

/**
 * What audit entries about a versioned thing, or all its versions, are filed under: `table/UUID@SNAPSHOT`, `table/UUID`,
 * `model_version/churn@3`, and `model/churn` for what concerns all versions of a model.
 */
export function auditSubject({ kind, uuid, version }: Pick<LineageRef, 'kind' | 'uuid' | 'version'>): string {
  if (version !== null) return `${kind.toLowerCase()}/${uuid}@${version}`;
  return kind === 'MODEL_VERSION' ? `model/${uuid}` : `${kind.toLowerCase()}/${uuid}`;
}

/** The same of a view, whose versions are not of one line with those of tables: `view/UUID@VERSION`, `view/UUID`. */
export function viewSubject(uuid: string, versionId: number | null): string {
  return versionId === null ? `view/${uuid}` : `view/${uuid}@${versionId}`;
}
