import type { Caller } from './caller.ts';
import { roles } from './role.ts';

/** The caller of a server without access control, which listens on loopback only: may do all, and nobody checked who it is. */
export const localCaller: Caller = {
  actor: { id: 'local', name: null, kind: 'LOCAL' },
  roles: new Set(roles),
  assurance: 'LOCAL',
};

/** Icecore itself: for what no caller asked for, such as moving its own entries. */
export const serverCaller: Caller = {
  actor: { id: 'icecore', name: 'Icecore', kind: 'SERVICE' },
  roles: new Set(['admin']),
  assurance: 'CREDENTIAL',
};
