import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ApiContext } from '../../resolvers/context.ts';
import type { Caller } from '../access/caller.ts';
import type { IcecoreError } from '../errors.ts';

/** What the listener hands to yoga. */
export interface ServerContext {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
}

/** A request's context. `refused` holds why the caller is not known; only `{ __typename }` is answered then. */
export interface RequestContext extends ApiContext {
  readonly caller: Caller;
  readonly refused: IcecoreError | null;
}

/** Stands in where nobody is known; holds no role, so that nothing is allowed even if a check were missed. */
export const unknownCaller: Caller = {
  actor: { id: 'unknown', name: null, kind: 'SERVICE' },
  roles: new Set(),
  assurance: 'CREDENTIAL',
};
