import { builder } from './builder.ts';
import { Node, PageInfo } from './refs.ts';
import { typenameOf } from './typename.ts';

Node.implement({
  resolveType: typenameOf,
  fields: (t) => ({
    id: t.id(),
  }),
});

builder.objectType(PageInfo, {
  fields: (t) => ({
    hasNextPage: t.exposeBoolean('hasNextPage'),
    hasPreviousPage: t.exposeBoolean('hasPreviousPage'),
    startCursor: t.exposeString('startCursor', { nullable: true }),
    endCursor: t.exposeString('endCursor', { nullable: true }),
  }),
});

builder.queryFields((t) => ({
  node: t.field({
    type: Node,
    nullable: true,
    args: { id: t.arg.id({ required: true }) },
    description: 'Also any id that a LineageNode carries.',
    resolve: (_, { id }) => String(id),
  }),
  nodes: t.field({
    type: [Node],
    nullable: { list: false, items: true },
    args: { ids: t.arg({ type: ['ID'], required: true }) },
    resolve: (_, { ids }) => ids.map(String),
  }),
}));
