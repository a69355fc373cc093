import type { LineageRef } from '../lineage/lineage-record.ts';

/** What audit entries about a versioned thing, or all its versions, are filed under: `table/UUID@SNAPSHOT`, `model_version/churn@3`. */
export function auditSubject({ kind, uuid, version }: Pick<LineageRef, 'kind' | 'uuid' | 'version'>): string {
  const thing = `${kind.toLowerCase()}/${uuid}`;
  return version === null ? thing : `${thing}@${version}`;
}
