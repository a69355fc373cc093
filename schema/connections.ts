import type { OutputRef } from '@pothos/core';
import type { Connection } from '../resolvers/connection.ts';
import { builder } from './builder.ts';
import * as refs from './refs.ts';

/** Declares `NameConnection` and `NameEdge` of Relay's specification over one type of node. */
function connection<Shape>(name: string, node: OutputRef<Shape>) {
  const edge = builder.objectRef<{ readonly cursor: string; readonly node: Shape }>(`${name}Edge`).implement({
    fields: (t) => ({
      cursor: t.exposeString('cursor'),
      // The compiler cannot see that a type parameter is its own output shape.
      node: t.field({ type: node, resolve: (parent) => parent.node as never }),
    }),
  });
  return builder.objectRef<Connection<Shape>>(`${name}Connection`).implement({
    fields: (t) => ({
      edges: t.expose('edges', { type: [edge] }),
      pageInfo: t.expose('pageInfo', { type: refs.PageInfo }),
      totalCount: t.expose('totalCount', { type: 'BigInt', nullable: true }),
    }),
  });
}

export const NodeConnection = connection('Node', refs.Node);
export const TableConnection = connection('Table', refs.Table);
export const SnapshotConnection = connection('Snapshot', refs.Snapshot);
export const SnapshotRefConnection = connection('SnapshotRef', refs.SnapshotRef);
export const DataFileConnection = connection('DataFile', refs.DataFile);
export const FeatureTableConnection = connection('FeatureTable', refs.FeatureTable);
export const FeatureConnection = connection('Feature', refs.Feature);
export const FeatureSetConnection = connection('FeatureSet', refs.FeatureSet);
export const TrainingSetConnection = connection('TrainingSet', refs.TrainingSet);
export const TrainingFileConnection = connection('TrainingFile', refs.TrainingFile);
export const ModelConnection = connection('Model', refs.Model);
export const ModelVersionConnection = connection('ModelVersion', refs.ModelVersion);
export const ModelAliasChangeConnection = connection('ModelAliasChange', refs.ModelAliasChange);
export const PredictionConnection = connection('Prediction', refs.Prediction);
export const RunConnection = connection('Run', refs.Run);
export const AuditEntryConnection = connection('AuditEntry', refs.AuditEntry);
