import { IcecoreError } from '../src/errors.ts';
import type { LineageKind } from '../src/lineage/lineage-record.ts';
import type { NodeId, NodeKind } from '../src/node-id.ts';
import type { Run } from '../src/runs/run.ts';
import type { ApiContext } from './context.ts';
import { edgeView, nodeView } from './lineage-view.ts';
import {
  featureKey,
  loadFeatureSets,
  loadFeatures,
  loadFeatureTables,
  loadModels,
  loadModelVersions,
  loadRuns,
  loadSnapshots,
  loadTables,
  loadTrainingSets,
  snapshotKey,
} from './loading.ts';
import { predictionOf } from './predictions.ts';
import { versionKey } from './version-key.ts';

/** Something with a global id, and which object type it is. */
export interface NodeValue {
  readonly typename: string;
  readonly value: object;
}

const runTypes: Partial<Record<Run['kind'], string>> = {
  TRAINING_SET: 'TrainingSetRun',
  REPRODUCTION: 'ReproductionRun',
  SCORING: 'ScoringRun',
};

export function runTypename(run: Run): string {
  return runTypes[run.kind] ?? 'JobRun';
}

/** What an id stands for; null where it is gone or the caller may not see it. Throws BAD_USER_INPUT for an id with impossible parts. */
export async function nodeValue(id: NodeId, context: ApiContext): Promise<NodeValue | null> {
  const value = await loaded(id, context);
  if (value === null) return null;
  return { typename: id.kind === 'Run' ? runTypename(value as Run) : id.kind, value };
}

async function loaded({ kind, parts }: NodeId, context: ApiContext): Promise<object | null> {
  const [first = '', second = '', third = ''] = parts;
  const only = async (found: Promise<readonly (object | null)[]>): Promise<object | null> => (await found)[0] ?? null;
  const version = (): string => versionKey({ name: first, version: wholeNumber(kind, second) });
  switch (kind) {
    case 'Table':
      return only(loadTables([first], context));
    case 'Snapshot':
      return only(loadSnapshots([snapshotKey({ tableUuid: first, snapshotId: long(kind, second) })], context));
    case 'FeatureTable':
      return only(loadFeatureTables([first], context));
    case 'Feature':
      return only(loadFeatures([featureKey({ tableUuid: first, fieldId: wholeNumber(kind, second) })], context));
    case 'FeatureSet':
      return only(loadFeatureSets([version()], context));
    case 'TrainingSet':
      return only(loadTrainingSets([version()], context));
    case 'Model':
      return only(loadModels([first], context));
    case 'ModelVersion':
      return only(loadModelVersions([version()], context));
    case 'Run':
      return only(loadRuns([first], context));
    case 'Prediction':
      return predictionOf({ tableUuid: first }, second, context);
    case 'LineageNode': {
      const ref = { kind: first as LineageKind, uuid: second, version: third === '' ? null : third };
      const node = await context.icecore.lineage.node(ref, context.caller);
      return node === null ? null : nodeView(node);
    }
    case 'LineageEdge': {
      const edge = await context.icecore.lineage.edge(first);
      return edge === null ? null : edgeView(edge, context);
    }
  }
}

function wholeNumber(kind: NodeKind, text: string): number {
  const number = Number(text);
  if (/^\d{1,10}$/.test(text) && Number.isSafeInteger(number)) return number;
  throw malformed(kind);
}

function long(kind: NodeKind, text: string): bigint {
  if (/^-?\d{1,19}$/.test(text)) return BigInt(text);
  throw malformed(kind);
}

function malformed(kind: NodeKind): IcecoreError {
  return new IcecoreError('BAD_USER_INPUT', `This is no id of a ${kind}; take ids from the fields \`id\` of earlier answers.`);
}

/** The versioned thing of lineage and audit that an id stands for. Throws BAD_USER_INPUT for what has none. */
export function lineageRefOf({ kind, parts }: NodeId): {
  readonly kind: LineageKind;
  readonly uuid: string;
  readonly version: string | null;
} {
  const [first = '', second = '', third = ''] = parts;
  switch (kind) {
    case 'Table':
    case 'FeatureTable':
      return { kind: 'TABLE', uuid: first, version: null };
    case 'Snapshot':
      return { kind: 'TABLE', uuid: first, version: second };
    case 'Feature':
      return { kind: 'FEATURE', uuid: `${first}/${second}`, version: null };
    case 'FeatureSet':
      return { kind: 'FEATURE_SET', uuid: first, version: second };
    case 'TrainingSet':
      return { kind: 'TRAINING_SET', uuid: first, version: second };
    case 'Model':
      return { kind: 'MODEL_VERSION', uuid: first, version: null };
    case 'ModelVersion':
      return { kind: 'MODEL_VERSION', uuid: first, version: second };
    case 'Run':
      return { kind: 'RUN', uuid: first, version: null };
    case 'Prediction':
      return { kind: 'PREDICTION', uuid: `${first}/${second}`, version: null };
    case 'LineageNode':
      return { kind: first as LineageKind, uuid: second, version: third === '' ? null : third };
    case 'LineageEdge':
      throw new IcecoreError(
        'BAD_USER_INPUT',
        'This is the id of a step, not of a thing: ask for the lineage of what it leads from or to.',
      );
  }
}

/** The id of the thing that a lineage node stands for; null where it has no object of its own. */
export function subjectIdOf(node: {
  readonly kind: LineageKind;
  readonly uuid: string;
  readonly version: string | null;
}): NodeId | null {
  const { kind, uuid, version } = node;
  switch (kind) {
    case 'TABLE':
      return version === null ? { kind: 'Table', parts: [uuid] } : { kind: 'Snapshot', parts: [uuid, version] };
    case 'FEATURE':
      return { kind: 'Feature', parts: uuid.split('/') };
    case 'FEATURE_SET':
      return { kind: 'FeatureSet', parts: [uuid, version ?? ''] };
    case 'TRAINING_SET':
      return { kind: 'TrainingSet', parts: [uuid, version ?? ''] };
    case 'MODEL_VERSION':
      return version === null ? { kind: 'Model', parts: [uuid] } : { kind: 'ModelVersion', parts: [uuid, version] };
    case 'RUN':
      return { kind: 'Run', parts: [uuid] };
    case 'PREDICTION':
      return { kind: 'Prediction', parts: uuid.split('/') };
    case 'EXTERNAL':
      return null;
  }
}
