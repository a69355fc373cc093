import type { Ledger } from '../ledger/ledger.ts';
import type { LineageState } from '../lineage/lineage-graph.ts';
import { lineageKey } from '../lineage/lineage-key.ts';
import type { LineageKind, LineageRef } from '../lineage/lineage-record.ts';
import { trainingSetTable } from '../training/training-set-table.ts';
import { modelVersionTable } from './model-version-table.ts';

/** For lineage: REDACTED for training sets and model versions that rest on erased rows, PRESENT for anything else. */
export async function versionStates(ledger: Ledger, refs: readonly LineageRef[]): Promise<readonly LineageState[]> {
  const names = (kind: LineageKind) => [...new Set(refs.flatMap((ref) => (ref.kind === kind ? [ref.uuid] : [])))];
  const redacted = new Set<string>();
  const [sets, models] = [names('TRAINING_SET'), names('MODEL_VERSION')];
  if (sets.length > 0) {
    for (const row of await ledger.select(trainingSetTable, { where: { name: sets, redacted: true } }))
      redacted.add(lineageKey({ kind: 'TRAINING_SET', uuid: row.name, version: String(row.version) }));
  }
  if (models.length > 0) {
    for (const row of await ledger.select(modelVersionTable, { where: { model: models, redacted: true } }))
      redacted.add(lineageKey({ kind: 'MODEL_VERSION', uuid: row.model, version: String(row.version) }));
  }
  return refs.map((ref) => (redacted.has(lineageKey(ref)) ? 'REDACTED' : 'PRESENT'));
}
