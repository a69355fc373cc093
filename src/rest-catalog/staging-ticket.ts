import { createHmac, timingSafeEqual } from 'node:crypto';
import { printIdentifier, type TableIdentifier } from '../iceberg/identifier.ts';
import { stagingTicketMsMax } from '../limits.ts';

/** A table that is staged and not yet in the catalog: where its files may be put, by whom. */
export interface StagedTable {
  readonly identifier: TableIdentifier;
  readonly uuid: string;
  readonly location: string;
  /** The caller's subject. */
  readonly subject: string;
}

/**
 * Says in a client's own hands what a staged table is, since the server keeps nothing of it: any server with the same secret knows it
 * again. Good for `stagingTicketMsMax`.
 */
export function printStagingTicket(
  { identifier, uuid, location, subject }: StagedTable,
  secret: Uint8Array,
  nowMs: number,
): string {
  const said = JSON.stringify([printIdentifier(identifier), uuid, location, subject, nowMs + stagingTicketMsMax]);
  const body = Buffer.from(said).toString('base64url');
  return `${body}.${seal(body, secret)}`;
}

/** Null for what this server never gave to the subject for a table of this name, and for what is no longer good. */
export function parseStagingTicket(
  ticket: string,
  expected: Pick<StagedTable, 'identifier' | 'subject'>,
  secret: Uint8Array,
  nowMs: number,
): StagedTable | null {
  const [body = '', sealed = ''] = ticket.split('.');
  const right = Buffer.from(seal(body, secret));
  const given = Buffer.from(sealed);
  if (given.length !== right.length || !timingSafeEqual(given, right)) return null;
  const [name, uuid, location, subject, untilMs] = JSON.parse(Buffer.from(body, 'base64url').toString());
  if (name !== printIdentifier(expected.identifier) || subject !== expected.subject || untilMs < nowMs) return null;
  return { identifier: expected.identifier, uuid, location, subject };
}

function seal(body: string, secret: Uint8Array): string {
  return createHmac('sha256', secret).update(body).digest('base64url');
}
