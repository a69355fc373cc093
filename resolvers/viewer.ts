import type { ModelVersion } from '../src/models/model.ts';
import { type Connection, connectionFrom, type PageArgs } from './connection.ts';
import type { ApiContext } from './context.ts';
import { modelPlaceOf, modelVersionKey } from './features.ts';
import type { ViewerView } from './views.ts';

export function viewer(_args: object, { caller }: ApiContext): ViewerView {
  return { actor: caller.actor, roles: [...caller.roles].toSorted() };
}

export function viewerPendingApprovals(
  _viewer: ViewerView,
  args: PageArgs,
  { icecore, caller }: ApiContext,
): Promise<Connection<ModelVersion>> {
  return connectionFrom(args, modelVersionKey, ({ first, after }) =>
    icecore.models.read.pendingApprovals(caller, { first, after: modelPlaceOf(after) }),
  );
}
