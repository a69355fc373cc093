import * as answer from '../resolvers/search.ts';
import { builder } from './builder.ts';
import { NodeConnection } from './connections.ts';
import { nodeConnection } from './typename.ts';

builder.queryFields((t) => ({
  search: t.field({
    type: NodeConnection,
    args: { text: t.arg.string({ required: true }), first: t.arg.int(), after: t.arg.string() },
    description: 'Tables, features, feature sets, training sets and models, by name, description and tags.',
    resolve: async (_, args, context) => nodeConnection(await answer.search(args, context)),
  }),
}));
