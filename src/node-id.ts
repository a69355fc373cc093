import { IcecoreError } from './errors.ts';

/** Every kind of thing that has a global id. */
const nodeKinds = [
  'Table',
  'Snapshot',
  'FeatureTable',
  'Feature',
  'FeatureSet',
  'TrainingSet',
  'Model',
  'ModelVersion',
  'Prediction',
  'Run',
  'LineageNode',
  'LineageEdge',
] as const;
export type NodeKind = (typeof nodeKinds)[number];

/**
 * The parts of a global id, by kind: Table [uuid]; Snapshot [table uuid, snapshot id]; FeatureTable [table uuid];
 * Feature [table uuid, field id]; FeatureSet [name, version]; TrainingSet [name, version]; Model [name]; ModelVersion [name, version];
 * Prediction [table uuid, prediction id]; Run [run id]; LineageNode [lineage kind, uuid or name, version or ''];
 * LineageEdge [edge id]. A thing keeps its id when its table is renamed.
 */
export interface NodeId {
  readonly kind: NodeKind;
  readonly parts: readonly string[];
}

export function printNodeId(kind: NodeKind, ...parts: readonly string[]): string {
  return Buffer.from(JSON.stringify([kind, ...parts])).toString('base64url');
}

/** Throws BAD_USER_INPUT where the text is no id of this API. */
export function parseNodeId(text: string): NodeId {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    if (Array.isArray(value) && value.every((part) => typeof part === 'string')) {
      const [kind, ...parts] = value;
      const known = nodeKinds.find((name) => name === kind);
      if (known !== undefined) return { kind: known, parts };
    }
  } catch {
    // Falls through to the one error below.
  }
  throw new IcecoreError(
    'BAD_USER_INPUT',
    `"${text.slice(0, 80)}" is no id of this API; take ids from the fields \`id\` of earlier answers.`,
  );
}
