import { sqlBatchIpc } from '../resolvers/batch-bytes.ts';
import * as answer from '../resolvers/sql.ts';
import { builder } from './builder.ts';
import { SqlBatch, SqlColumn, SqlResult, TableSnapshot } from './refs.ts';

export const SqlEngine = builder.enumType('SqlEngine', {
  values: ['EMBEDDED', 'DISTRIBUTED'] as const,
});

builder.objectType(SqlColumn, {
  fields: (t) => ({
    name: t.exposeString('name'),
    type: t.exposeString('type'),
  }),
});

builder.objectType(SqlResult, {
  fields: (t) => ({
    columns: t.expose('columns', { type: [SqlColumn] }),
    rows: t.expose('rows', { type: ['JSON'] }),
    truncated: t.exposeBoolean('truncated'),
    engine: t.expose('engine', { type: SqlEngine }),
    snapshots: t.expose('snapshots', { type: [TableSnapshot] }),
    elapsedMs: t.exposeFloat('elapsedMs'),
  }),
});

builder.objectType(SqlBatch, {
  fields: (t) => ({
    ipc: t.field({ type: 'Bytes', description: 'As in TrainingBatch.', resolve: sqlBatchIpc }),
    rowCount: t.exposeInt('rowCount'),
    last: t.exposeBoolean('last'),
    snapshots: t.expose('snapshots', { type: [TableSnapshot] }),
  }),
});

builder.queryFields((t) => ({
  sql: t.field({
    type: SqlResult,
    args: {
      statement: t.arg.string({ required: true }),
      parameters: t.arg({ type: ['JSON'] }),
      engine: t.arg({ type: SqlEngine, defaultValue: 'EMBEDDED' }),
      maxRows: t.arg.int({ defaultValue: 1000 }),
    },
    description:
      "A read-only SELECT over every table the caller may read. `t AT (VERSION => 123)` and `t AT (TIMESTAMP => '…')` travel in time.",
    resolve: (_, args, context) => answer.sql(args, context),
  }),
}));

builder.subscriptionFields((t) => ({
  sqlBatches: t.field({
    type: SqlBatch,
    args: {
      statement: t.arg.string({ required: true }),
      parameters: t.arg({ type: ['JSON'] }),
      engine: t.arg({ type: SqlEngine, defaultValue: 'EMBEDDED' }),
    },
    description: 'The rows of a SELECT as Arrow, under the same two transports.',
    subscribe: (_, args, context) => answer.sqlBatches(args, context),
    resolve: (event) => event,
  }),
}));
