import { IcecoreError } from '../errors.ts';
import type { Caller, Role } from './caller.ts';

export const roles: readonly Role[] = ['viewer', 'scientist', 'approver', 'admin'];

/**
 * What a role includes besides itself: whoever may write may read. `admin` keeps the house (maintenance, erasure, dropping) and may
 * write; it never includes `approver`, so that running the server does not mean deciding on models.
 */
const included: Readonly<Record<Role, readonly Role[]>> = {
  viewer: ['viewer'],
  scientist: ['scientist', 'viewer'],
  approver: ['approver', 'viewer'],
  admin: ['admin', 'scientist', 'viewer'],
};

export function hasRole(caller: Caller, role: Role): boolean {
  return [...caller.roles].some((held) => included[held].includes(role));
}

/** Throws FORBIDDEN where the caller lacks the role. `action` completes "may not …": `approve models`. */
export function requireRole(caller: Caller, role: Role, action: string): void {
  if (hasRole(caller, role)) return;
  const held = caller.roles.size === 0 ? 'no role' : [...caller.roles].join(', ');
  throw new IcecoreError(
    'FORBIDDEN',
    `${caller.actor.id} may not ${action}: that takes the role ${role}, and this key has ${held}.`,
    { context: { actor: caller.actor.id, requiredRole: role } },
  );
}
