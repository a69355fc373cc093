import { type ActorCell, actorCell, actorOf, actorType } from '../access/actor-row.ts';
import type { LedgerTable } from '../ledger/ledger-table.ts';
import type { ModelEndpoint, ModelField, ModelVersion, ModelVersionStatus } from './model.ts';
import { modelSubject } from './model-table.ts';

type MetricCell = {
  readonly name: string;
  readonly value: number;
  readonly split: string | null;
  readonly table_uuid: string | null;
  readonly table_name: string | null;
  readonly snapshot_id: bigint | null;
};

type EndpointCell = { readonly url: string; readonly protocol: string; readonly model: string; readonly version: string | null };

export type ModelVersionRow = {
  readonly model: string;
  readonly version: number;
  readonly status: string;
  readonly training_set: string | null;
  readonly training_set_version: number | null;
  readonly training_table_uuid: string;
  readonly training_table: string;
  readonly training_snapshot_id: bigint;
  readonly feature_set: string | null;
  readonly feature_set_version: number | null;
  readonly feature_set_hash: string | null;
  readonly metrics: readonly MetricCell[];
  readonly signature_inputs: readonly ModelField[];
  readonly signature_outputs: readonly ModelField[];
  readonly artifact_uri: string | null;
  readonly artifact_sha256: string;
  readonly endpoint: EndpointCell | null;
  readonly digest: string;
  readonly redacted: boolean;
  readonly registered_by: ActorCell;
  readonly registered_at: bigint;
  readonly submitted_by: ActorCell | null;
  readonly authors: readonly string[];
  readonly approved_by: ActorCell | null;
  readonly approved_at: bigint | null;
};

const field = 'struct<name: string, type: string, required: boolean>';
const metric = 'struct<name: string, value: double, split: string, table_uuid: string, table_name: string, snapshot_id: long>';

export const modelVersionTable: LedgerTable<ModelVersionRow> = {
  name: 'icecore.model_versions',
  columns: [
    { name: 'model', type: 'string', required: true, doc: 'The model’s name.' },
    { name: 'version', type: 'int', required: true, doc: 'From 1; never used twice.' },
    { name: 'status', type: 'string', required: true, doc: 'DRAFT, SUBMITTED, APPROVED, REJECTED, SUSPENDED or RETIRED.' },
    { name: 'training_set', type: 'string', required: false, doc: 'The training set, where it was trained on one.' },
    { name: 'training_set_version', type: 'int', required: false, doc: 'Its version.' },
    { name: 'training_table_uuid', type: 'string', required: true, doc: 'The table that it was trained on.' },
    { name: 'training_table', type: 'string', required: true, doc: 'That table’s name at registration.' },
    { name: 'training_snapshot_id', type: 'long', required: true, doc: 'The snapshot that it was trained on; pinned.' },
    { name: 'feature_set', type: 'string', required: false, doc: 'The feature set of the training set.' },
    { name: 'feature_set_version', type: 'int', required: false, doc: 'Its version.' },
    { name: 'feature_set_hash', type: 'string', required: false, doc: 'Its hash.' },
    { name: 'metrics', type: `list<${metric}>`, required: true, doc: 'Metrics, each with the data it was measured on.' },
    { name: 'signature_inputs', type: `list<${field}>`, required: true, doc: 'Inputs, by Iceberg type.' },
    { name: 'signature_outputs', type: `list<${field}>`, required: true, doc: 'Outputs, by Iceberg type.' },
    { name: 'artifact_uri', type: 'string', required: false, doc: 'Where the artifact is.' },
    { name: 'artifact_sha256', type: 'string', required: true, doc: 'Its digest.' },
    {
      name: 'endpoint',
      type: 'struct<url: string, protocol: string, model: string, version: string>',
      required: false,
      doc: 'Where it is served.',
    },
    { name: 'digest', type: 'string', required: true, doc: 'Over everything that an approval is bound to.' },
    { name: 'redacted', type: 'boolean', required: true, doc: 'True where rows that it rests on were erased.' },
    { name: 'registered_by', type: actorType, required: true, doc: 'Who registered it.' },
    { name: 'registered_at', type: 'timestamptz', required: true, doc: 'When.' },
    { name: 'submitted_by', type: actorType, required: false, doc: 'Who submitted it last.' },
    { name: 'authors', type: 'list<string>', required: true, doc: 'Actor ids: none of them may approve it.' },
    { name: 'approved_by', type: actorType, required: false, doc: 'Who approved it last.' },
    { name: 'approved_at', type: 'timestamptz', required: false, doc: 'When.' },
  ],
  key: ['model', 'version'],
  mode: 'upsert',
  indexes: [['model', 'version'], ['status'], ['training_set', 'training_set_version'], ['training_table_uuid']],
  subject: ({ model }) => modelSubject(model),
};

export function modelVersionRow(version: ModelVersion): ModelVersionRow {
  return {
    model: version.model,
    version: version.version,
    status: version.status,
    training_set: version.trainingSet?.name ?? null,
    training_set_version: version.trainingSet?.version ?? null,
    training_table_uuid: version.trainingTable.tableUuid,
    training_table: version.trainingTable.tableName,
    training_snapshot_id: version.trainingTable.snapshotId,
    feature_set: version.featureSet?.name ?? null,
    feature_set_version: version.featureSet?.version ?? null,
    feature_set_hash: version.featureSet?.hash ?? null,
    metrics: version.metrics.map(({ name, value, split, dataset }) => ({
      name,
      value,
      split,
      table_uuid: dataset?.tableUuid ?? null,
      table_name: dataset?.tableName ?? null,
      snapshot_id: dataset?.snapshotId ?? null,
    })),
    signature_inputs: version.signature.inputs,
    signature_outputs: version.signature.outputs,
    artifact_uri: version.artifactUri,
    artifact_sha256: version.artifactSha256,
    endpoint: version.endpoint === null ? null : { ...version.endpoint },
    digest: version.digest,
    redacted: version.redacted,
    registered_by: actorCell(version.registeredBy),
    registered_at: version.registeredAtMicros,
    submitted_by: version.submittedBy === null ? null : actorCell(version.submittedBy),
    authors: version.authors,
    approved_by: version.approvedBy === null ? null : actorCell(version.approvedBy),
    approved_at: version.approvedAtMicros,
  };
}

export function modelVersionOf(row: ModelVersionRow): ModelVersion {
  return {
    model: row.model,
    version: row.version,
    status: row.status as ModelVersionStatus,
    trainingSet: reference(row.training_set, row.training_set_version),
    trainingTable: { tableUuid: row.training_table_uuid, tableName: row.training_table, snapshotId: row.training_snapshot_id },
    featureSet: featureSetOf(row),
    metrics: row.metrics.map(({ name, value, split, table_uuid, table_name, snapshot_id }) => ({
      name,
      value,
      split,
      dataset:
        table_uuid === null || snapshot_id === null
          ? null
          : { tableUuid: table_uuid, tableName: table_name ?? '', snapshotId: snapshot_id },
    })),
    signature: { inputs: row.signature_inputs, outputs: row.signature_outputs },
    artifactUri: row.artifact_uri,
    artifactSha256: row.artifact_sha256,
    endpoint: row.endpoint === null ? null : endpointOf(row.endpoint),
    digest: row.digest,
    redacted: row.redacted,
    registeredBy: actorOf(row.registered_by),
    registeredAtMicros: row.registered_at,
    submittedBy: row.submitted_by === null ? null : actorOf(row.submitted_by),
    authors: row.authors,
    approvedBy: row.approved_by === null ? null : actorOf(row.approved_by),
    approvedAtMicros: row.approved_at,
  };
}

function reference(name: string | null, version: number | null): { readonly name: string; readonly version: number } | null {
  return name === null || version === null ? null : { name, version };
}

function featureSetOf(row: ModelVersionRow): ModelVersion['featureSet'] {
  const set = reference(row.feature_set, row.feature_set_version);
  return set === null || row.feature_set_hash === null ? null : { ...set, hash: row.feature_set_hash };
}

function endpointOf(cell: EndpointCell): ModelEndpoint {
  return { ...cell, protocol: cell.protocol as ModelEndpoint['protocol'] };
}
