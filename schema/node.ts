import * as answer from '../resolvers/node.ts';
import { builder } from './builder.ts';
import { Node, PageInfo } from './refs.ts';
import { asNode, typenameOf } from './typename.ts';

builder.interfaceType(Node, {
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
    resolve: async (_, args, context) => asNode(await answer.node(args, context)),
  }),
  nodes: t.field({
    type: [Node],
    nullable: { list: false, items: true },
    args: { ids: t.arg({ type: ['ID'], required: true }) },
    resolve: async (_, args, context) => (await answer.nodes(args, context)).map(asNode),
  }),
}));
