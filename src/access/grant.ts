import { IcecoreError } from '../errors.ts';
import { parseIdentifier } from '../iceberg/identifier.ts';
import { asObject, asOneOf, asString, member } from '../iceberg/json-member.ts';

/** Icecore's own namespace: what it holds tells of everybody's tables, so `*` does not cover it. */
export const ownNamespace = 'icecore';

/** What a subject may do with a namespace and all below it, or with one table. */
export interface Grant {
  /** As in ICECORE_API_KEYS; null for every caller that has a key. */
  readonly subject: string | null;
  /** The parts of a namespace or of a table's whole name; null for every table but Icecore's own. */
  readonly on: readonly string[] | null;
  /** `write` includes `read`. */
  readonly may: 'read' | 'write';
}

const members = new Set(['subject', 'on', 'may']);

/** Reads one entry of ICECORE_GRANTS. Throws BAD_USER_INPUT that names the entry by its place. */
export function parseGrant(value: unknown, where: string): Grant {
  const object = asObject(value, where);
  const unknown = Object.keys(object).find((name) => !members.has(name));
  if (unknown !== undefined) throw wrong(where, `"${unknown}" is not a member; it takes ${[...members].join(', ')}`);
  const subject = member(object, 'subject', asString, where);
  // Neither the server nor a caller that nobody asked who they are is known by a key.
  if (subject.trim() === '' || subject === 'local' || subject === ownNamespace) {
    throw wrong(where, `"subject" must be one of ICECORE_API_KEYS or "*"; it is "${subject}"`);
  }
  const on = onOf(member(object, 'on', asString, where), where);
  const may = member(object, 'may', asOneOf('read', 'write'), where);
  if (may === 'write' && on?.[0] === ownNamespace) {
    throw wrong(where, `only Icecore writes in ${ownNamespace}: "may" can only be "read" there`);
  }
  return { subject: subject === '*' ? null : subject, on, may };
}

function onOf(text: string, where: string): Grant['on'] {
  if (text === '*') return null;
  try {
    // A namespace alone is no table's name; with one more part behind it is.
    return parseIdentifier(`${text}.t`).namespace;
  } catch {
    throw wrong(where, `"on" is "${text}"; it takes "*", a namespace such as "features", or a table such as "features.daily"`);
  }
}

function wrong(where: string, what: string): IcecoreError {
  return new IcecoreError('BAD_USER_INPUT', `${where}: ${what}.`);
}
