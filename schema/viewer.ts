import * as answer from '../resolvers/viewer.ts';
import { builder } from './builder.ts';
import { ModelVersionConnection } from './connections.ts';
import { Actor, Viewer } from './refs.ts';

builder.objectType(Actor, {
  description: 'Who did it, from the credential. LOCAL is the caller of a server that runs without access control on loopback.',
  fields: (t) => ({
    id: t.exposeString('id'),
    name: t.exposeString('name', { nullable: true }),
    kind: t.expose('kind', { type: ActorKind }),
  }),
});

export const ActorKind = builder.enumType('ActorKind', {
  values: ['HUMAN', 'SERVICE', 'AGENT', 'LOCAL'] as const,
});

builder.objectType(Viewer, {
  fields: (t) => ({
    actor: t.expose('actor', { type: Actor }),
    roles: t.expose('roles', { type: ['String'] }),
    pendingApprovals: t.field({
      type: ModelVersionConnection,
      args: { first: t.arg.int(), after: t.arg.string() },
      resolve: answer.viewerPendingApprovals,
    }),
  }),
});

builder.queryFields((t) => ({
  viewer: t.field({ type: Viewer, resolve: (_, args, context) => answer.viewer(args, context) }),
}));
