import { IcecoreError } from '../src/errors.ts';
import type { LineageKind } from '../src/lineage/lineage-record.ts';
import { type NodeId, type NodeKind, parseNodeId } from '../src/node-id.ts';
import type { Run } from '../src/runs/run.ts';
import type { ApiContext } from './context.ts';
import { edgeView, nodeView } from './lineage-view.ts';
import {
  featureKey,
  type Load,
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
  return nodeOf(id.kind, value);
}

function nodeOf(kind: NodeKind, value: object): NodeValue {
  return { typename: kind === 'Run' ? runTypename(value as Run) : kind, value };
}

/**
 * What ids stand for, in their order: those of one kind by one load. Null for what is gone or may not be seen; an error for a text that is no
 * id, and no harm to the others.
 */
export async function nodeValues(texts: readonly string[], context: ApiContext): Promise<readonly (NodeValue | Error | null)[]> {
  const wanted = texts.map(wantedNode);
  const keys = new Map<NodeKind, Set<string>>();
  for (const each of wanted) {
    if (!(each instanceof Error) && each.key !== null)
      keys.set(each.id.kind, (keys.get(each.id.kind) ?? new Set()).add(each.key));
  }
  const loads = [...keys].map(async ([kind, distinct]) => {
    const found = (await batched[kind]?.([...distinct], context)) ?? [];
    return [kind, new Map([...distinct].map((key, index) => [key, found[index] ?? null]))] as const;
  });
  const found = new Map(await Promise.all(loads));
  return await Promise.all(
    wanted.map(async (each) => {
      if (each instanceof Error) return each;
      const { id, key } = each;
      const value = key === null ? await loaded(id, context) : found.get(id.kind)?.get(key);
      return value == null ? null : nodeOf(id.kind, value);
    }),
  );
}

function wantedNode(text: string): { readonly id: NodeId; readonly key: string | null } | IcecoreError {
  try {
    const id = parseNodeId(text);
    return { id, key: batchedKey(id) };
  } catch (error) {
    if (IcecoreError.is(error)) return error;
    throw error;
  }
}

/** Kinds that are loaded many at once, by the keys of `batchedKey`. */
const batched: Partial<Record<NodeKind, Load<object>>> = {
  Table: loadTables,
  Snapshot: loadSnapshots,
  FeatureTable: loadFeatureTables,
  Feature: loadFeatures,
  FeatureSet: loadFeatureSets,
  TrainingSet: loadTrainingSets,
  Model: loadModels,
  ModelVersion: loadModelVersions,
  Run: loadRuns,
};

/** Null for kinds that are loaded one by one. Throws BAD_USER_INPUT for an id with impossible parts. */
function batchedKey({ kind, parts }: NodeId): string | null {
  const [first = '', second = ''] = parts;
  switch (kind) {
    case 'Snapshot':
      return snapshotKey({ tableUuid: first, snapshotId: long(kind, second) });
    case 'Feature':
      return featureKey({ tableUuid: first, fieldId: wholeNumber(kind, second) });
    case 'FeatureSet':
    case 'TrainingSet':
    case 'ModelVersion':
      return versionKey({ name: first, version: wholeNumber(kind, second) });
    default:
      return batched[kind] === undefined ? null : first;
  }
}

async function loaded(id: NodeId, context: ApiContext): Promise<object | null> {
  const [first = '', second = '', third = ''] = id.parts;
  const key = batchedKey(id);
  if (key !== null) return (await batched[id.kind]?.([key], context))?.[0] ?? null;
  switch (id.kind) {
    case 'Prediction':
      return predictionOf({ tableUuid: first }, second, context);
    case 'LineageNode': {
      const ref = { kind: first as LineageKind, uuid: second, version: third === '' ? null : third };
      const node = await context.icecore.lineage.node(ref);
      return node === null ? null : nodeView(node);
    }
    case 'LineageEdge': {
      const edge = await context.icecore.lineage.edge(first);
      return edge === null ? null : edgeView(edge, context);
    }
    default:
      return null;
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
