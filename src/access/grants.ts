import { readFile } from 'node:fs/promises';
import { IcecoreError } from '../errors.ts';
import { parseJson } from '../iceberg/json.ts';
import { type Grant, parseGrant } from './grant.ts';

const form = '{"subject", "on", "may"}';

/**
 * From ICECORE_GRANTS: a JSON list, or the path of a file with one; none where it is undefined or empty. Throws BAD_USER_INPUT that names
 * the entry for what is malformed, NOT_FOUND for a missing file.
 */
export async function loadGrants(textOrPath: string | undefined): Promise<readonly Grant[]> {
  const given = textOrPath?.trim() ?? '';
  if (given === '') return [];
  const isInline = given.startsWith('[');
  const where = isInline ? 'ICECORE_GRANTS' : `ICECORE_GRANTS, ${given}`;
  return parseGrants(isInline ? given : await readGrants(given), where);
}

/** The same from the list's text. */
export function parseGrants(text: string, where: string): readonly Grant[] {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (cause) {
    throw new IcecoreError('BAD_USER_INPUT', `${where} is not valid JSON; write a list of ${form}.`, { cause });
  }
  if (!Array.isArray(value)) throw new IcecoreError('BAD_USER_INPUT', `${where} must be a list of ${form}.`);
  return value.map((item, index) => parseGrant(item, `${where}[${index}]`));
}

async function readGrants(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new IcecoreError('NOT_FOUND', `ICECORE_GRANTS names the file ${path}, which cannot be read.`, { cause });
  }
}
