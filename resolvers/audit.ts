import { notBuilt } from './not-built.ts';

export function auditTrailSubject(..._: readonly unknown[]): never {
  return notBuilt('auditTrailSubject');
}

export function auditTrail(..._: readonly unknown[]): never {
  return notBuilt('auditTrail');
}

export function auditLog(..._: readonly unknown[]): never {
  return notBuilt('auditLog');
}
