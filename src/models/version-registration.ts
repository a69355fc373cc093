import type { Caller } from '../access/caller.ts';
import { auditSubject } from '../audit/subject.ts';
import type { JournalDraft } from '../catalog/catalog.ts';
import { IcecoreError } from '../errors.ts';
import type { FeatureSet } from '../features/feature-set.ts';
import type { LineageEdgeDraft, LineageRef } from '../lineage/lineage-record.ts';
import type { TableSnapshotRef } from '../tables/table.ts';
import type { Tables } from '../tables/tables.ts';
import type { TrainingSet } from '../training/training-set.ts';
import type { ModelEndpoint, ModelMetric, ModelSignature, ModelVersion } from './model.ts';
import type { ModelChange } from './model-change.ts';
import { modelEvent } from './model-event.ts';
import { checkAuthors, checkEndpoint, checkedSha256, checkMetrics, checkSignature } from './model-input.ts';
import type { ModelReader } from './model-reader.ts';
import { trainingPin } from './training-pin.ts';
import { versionDigest } from './version-digest.ts';

export interface NewModelVersion {
  readonly model: string;
  /** Exactly one: a training set, or a table at a snapshot that is already resolved. */
  readonly trainedOn:
    | { readonly trainingSet: { readonly name: string; readonly version: number } }
    | { readonly table: TableSnapshotRef };
  readonly metrics: readonly ModelMetric[];
  readonly signature: ModelSignature;
  readonly artifactUri: string | null;
  readonly artifactSha256: string;
  readonly endpoint: ModelEndpoint | null;
  /** Actor ids of further authors. */
  readonly authors: readonly string[];
}

/** Where a version's training data is looked up. */
export interface TrainingSource {
  trainingSet(name: string, version: number): Promise<TrainingSet | null>;
  featureSet(name: string, version: number): Promise<FeatureSet | null>;
}

/** How lineage is recorded: entries to commit with what they tell about. */
export interface LineageDrafts {
  drafts(edges: readonly LineageEdgeDraft[], caller: Caller): readonly JournalDraft[];
}

export interface RegistrationContext {
  readonly read: ModelReader;
  readonly tables: Tables;
  readonly training: TrainingSource;
  readonly lineage: LineageDrafts;
  readonly nowMicros: bigint;
}

/** Throws BAD_USER_INPUT for what no version can have. */
export function checkNewVersion(input: NewModelVersion): void {
  checkedSha256(input.artifactSha256);
  checkSignature(input.signature);
  checkMetrics(input.metrics);
  checkAuthors(input.authors);
  if (input.endpoint !== null) checkEndpoint(input.endpoint);
}

/** The next version of a model, DRAFT, its training snapshot pinned (semantics, section 3). Throws NOT_FOUND. */
export async function versionRegistration(
  context: RegistrationContext,
  caller: Caller,
  input: NewModelVersion,
): Promise<ModelChange<{ readonly version: number }>> {
  const { read, nowMicros } = context;
  await read.requireModel(input.model);
  const { table, trainingSet, featureSet } = await basisOf(context, input.trainedOn);
  // Of all versions, whoever sees them: a number is never used twice.
  const [newest] = await context.tables.access.asServer(() => read.versions(input.model, { first: 1, after: null }));
  const content = {
    artifactSha256: checkedSha256(input.artifactSha256),
    trainingTable: table,
    featureSet,
    metrics: input.metrics,
    signature: input.signature,
    endpoint: input.endpoint,
  };
  const trainers = trainingSet === null ? [] : [trainingSet.createdBy.id];
  const version: ModelVersion = {
    ...content,
    model: input.model,
    version: (newest?.version ?? 0) + 1,
    status: 'DRAFT',
    trainingSet: trainingSet === null ? null : { name: trainingSet.name, version: trainingSet.version },
    artifactUri: input.artifactUri,
    digest: versionDigest(content),
    redacted: trainingSet?.redacted ?? false,
    registeredBy: caller.actor,
    registeredAtMicros: nowMicros,
    submittedBy: null,
    authors: [...new Set([caller.actor.id, ...trainers, ...input.authors])],
    approvedBy: null,
    approvedAtMicros: null,
  };
  const pin = await trainingPin(context.tables, version);
  const { digest } = version;
  return {
    answer: { version: version.version },
    version,
    event: modelEvent({ ...version, kind: 'REGISTER' }, caller, nowMicros, { digest }),
    audit: {
      subject: versionSubject(version),
      payload: {
        model: version.model,
        version: version.version,
        digest,
        artifactSha256: version.artifactSha256,
        trainingTable: table,
        trainingSet: version.trainingSet,
        featureSet: version.featureSet,
        authors: version.authors,
      },
    },
    prepare: (transaction) => {
      transaction.change(pin.table, pin.action);
      for (const entry of context.lineage.drafts([trainedOnEdge(version)], caller)) transaction.entry(entry);
    },
  };
}

/** What audit entries call a version. */
export function versionSubject({ model, version }: Pick<ModelVersion, 'model' | 'version'>): string {
  return auditSubject({ kind: 'MODEL_VERSION', uuid: model, version: String(version) });
}

/** A version as lineage names it. */
export function versionLineage({ model, version }: Pick<ModelVersion, 'model' | 'version'>): LineageRef {
  return { kind: 'MODEL_VERSION', uuid: model, version: String(version), name: model };
}

function trainedOnEdge(version: ModelVersion): LineageEdgeDraft {
  const { trainingSet, trainingTable } = version;
  const from: LineageRef =
    trainingSet === null
      ? {
          kind: 'TABLE',
          uuid: trainingTable.tableUuid,
          version: trainingTable.snapshotId.toString(),
          name: trainingTable.tableName,
        }
      : { kind: 'TRAINING_SET', uuid: trainingSet.name, version: String(trainingSet.version), name: trainingSet.name };
  return { from, to: versionLineage(version), runId: null, columns: [] };
}

async function basisOf(
  { tables, training }: Pick<RegistrationContext, 'tables' | 'training'>,
  trainedOn: NewModelVersion['trainedOn'],
): Promise<{
  readonly table: TableSnapshotRef;
  readonly trainingSet: TrainingSet | null;
  readonly featureSet: ModelVersion['featureSet'];
}> {
  if ('table' in trainedOn) return { table: trainedOn.table, trainingSet: null, featureSet: null };
  const { name, version } = trainedOn.trainingSet;
  const trainingSet = await training.trainingSet(name, version);
  if (trainingSet === null) {
    throw new IcecoreError('NOT_FOUND', `There is no version ${version} of a training set "${name}".`, {
      context: { trainingSet: name, version },
    });
  }
  const { featureSet } = trainingSet;
  // Its hash alone: who may read the training set need not see what the features were taken from.
  const frozen = await tables.access.asServer(() => training.featureSet(featureSet.name, featureSet.version));
  if (frozen === null) {
    throw new IcecoreError('NOT_FOUND', `There is no version ${featureSet.version} of a feature set "${featureSet.name}".`);
  }
  return { table: trainingSet.data, trainingSet, featureSet: { ...featureSet, hash: frozen.hash } };
}
