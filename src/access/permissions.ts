import type { TableIdentifier } from '../iceberg/identifier.ts';
import type { Caller } from './caller.ts';
import { type Grant, ownNamespace } from './grant.ts';

/** What somebody may do with which tables and views. */
export interface Permissions {
  /** True for the server's own work, and for all where callers are not told apart. */
  readonly unrestricted: boolean;
  /** Whose; null where nobody was recognised. */
  readonly subject: string | null;
  readonly grants: readonly Grant[];
}

export const everything: Permissions = { unrestricted: true, subject: null, grants: [] };

/** Default deny. */
export const nothing: Permissions = { unrestricted: false, subject: null, grants: [] };

/** A caller's own. One whose identity nobody checked has none: that is for servers that check none at all. */
export function permissionsOf(grants: readonly Grant[], { actor, assurance }: Caller): Permissions {
  if (assurance === 'LOCAL') return nothing;
  const own = grants.filter(({ subject }) => subject === null || subject === actor.id);
  return { unrestricted: false, subject: actor.id, grants: own };
}

export function mayRead(permissions: Permissions, { namespace, name }: TableIdentifier): boolean {
  return permissions.unrestricted || permissions.grants.some((grant) => covers(grant, [...namespace, name]));
}

/** Includes that they may read it. Icecore's own tables nobody else writes, whatever is granted. */
export function mayWrite(permissions: Permissions, { namespace, name }: TableIdentifier): boolean {
  return mayWriteParts(permissions, [...namespace, name]);
}

/** Whether a namespace shows: it is granted, or something in it or below it is. */
export function mayReadNamespace(permissions: Permissions, parts: readonly string[]): boolean {
  if (permissions.unrestricted) return true;
  return permissions.grants.some((grant) => covers(grant, parts) || (grant.on !== null && startsWith(grant.on, parts)));
}

/** Whether the namespace itself may be made, changed and dropped: a grant on a table in it does not suffice. */
export function mayWriteNamespace(permissions: Permissions, parts: readonly string[]): boolean {
  return mayWriteParts(permissions, parts);
}

/** Whether every table may be read, but Icecore's own: then nothing that tells of tables needs to be kept back. */
export function mayReadAll(permissions: Permissions): boolean {
  return permissions.unrestricted || permissions.grants.some(({ on }) => on === null);
}

/** Whether every table may be written, but Icecore's own. */
export function mayWriteAll(permissions: Permissions): boolean {
  return permissions.unrestricted || permissions.grants.some(({ on, may }) => on === null && may === 'write');
}

function mayWriteParts(permissions: Permissions, parts: readonly string[]): boolean {
  if (permissions.unrestricted) return true;
  return permissions.grants.some((grant) => grant.may === 'write' && covers(grant, parts));
}

function covers({ on }: Grant, parts: readonly string[]): boolean {
  return on === null ? parts[0] !== ownNamespace : startsWith(parts, on);
}

function startsWith(parts: readonly string[], beginning: readonly string[]): boolean {
  return beginning.length <= parts.length && beginning.every((part, index) => parts[index] === part);
}
