import { canonicalJson, sha256Hex } from '../ledger/canonical-json.ts';
import type { ModelVersion } from './model.ts';

/** Everything that an approval is bound to (semantics, section 3). */
export type ApprovedContent = Pick<
  ModelVersion,
  'artifactSha256' | 'trainingTable' | 'featureSet' | 'metrics' | 'signature' | 'endpoint'
>;

/** Hex SHA-256 over the canonical JSON of what an approval is bound to. A table counts by uuid and snapshot, not by its name. */
export function versionDigest(content: ApprovedContent): string {
  return sha256Hex(
    canonicalJson({
      artifactSha256: content.artifactSha256,
      trainingTable: content.trainingTable.tableUuid,
      trainingSnapshotId: content.trainingTable.snapshotId,
      featureSetHash: content.featureSet?.hash ?? null,
      metrics: content.metrics.map(({ name, value, split, dataset }) => ({
        name,
        value,
        split,
        dataset: dataset === null ? null : { tableUuid: dataset.tableUuid, snapshotId: dataset.snapshotId },
      })),
      signature: content.signature,
      endpoint: content.endpoint,
    }),
  );
}
