import { IcecoreError } from '../errors.ts';

/** One element of the body; nothing else may stand in it, so that the store finds no keys that this does not. */
const element =
  /^(?:<Object>(?<object>(?:<(?:Key|VersionId|ETag|Size|LastModifiedTime)>[^<]*<\/\w+>\s*)+)<\/Object>|<Quiet>(?:true|false)<\/Quiet>)\s*/;
/** S3's own limit. */
const keysMax = 1000;
const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** The keys that a DeleteObjects request (S3 API) names, at most 1,000 of them. Throws BAD_USER_INPUT for any other body. */
export function parseDeleteObjects(body: string): readonly string[] {
  const [, inner] = /^\s*(?:<\?xml[^<>]*\?>\s*)?<Delete(?: xmlns="[^"<>]*")?>\s*(.*)<\/Delete>\s*$/s.exec(body) ?? [];
  if (inner === undefined) throw malformed('it is not one Delete element');
  const keys: string[] = [];
  for (let rest = inner; rest !== ''; ) {
    const match = element.exec(rest);
    if (match === null) throw malformed('it holds something else than Object and Quiet elements');
    if (match.groups?.object !== undefined) keys.push(keyOf(match.groups.object));
    if (keys.length > keysMax) throw malformed(`it names more than ${keysMax} objects`);
    rest = rest.slice(match[0].length);
  }
  if (keys.length === 0) throw malformed('it names no object');
  return keys;
}

function keyOf(object: string): string {
  const members = [...object.matchAll(/<(\w+)>([^<]*)<\/(\w+)>/g)];
  const [key, ...more] = members.filter(([, name]) => name === 'Key');
  if (key === undefined || more.length > 0) throw malformed('an Object has not one Key');
  if (members.some(([, open, , close]) => open !== close)) throw malformed('an element ends as another');
  if (members.some(([, name]) => name === 'VersionId'))
    throw malformed('it names versions, which are not removed by signed requests');
  return decodeEntities(key[2] ?? '');
}

function decodeEntities(text: string): string {
  return text.replaceAll(/&([^;&]*);?/g, (entity, name: string) => {
    const code = /^#(?:x([0-9A-Fa-f]{1,6})|(\d{1,7}))$/.exec(name);
    const point = code === null ? Number.NaN : code[1] === undefined ? Number(code[2]) : Number.parseInt(code[1], 16);
    if (point > 0 && point <= 0x10ffff) return String.fromCodePoint(point);
    const character = Object.hasOwn(entities, name) ? entities[name] : undefined;
    if (character === undefined || !entity.endsWith(';')) throw malformed('it holds an unknown entity');
    return character;
  });
}

function malformed(why: string): IcecoreError {
  return new IcecoreError(
    'BAD_USER_INPUT',
    `The body of the DeleteObjects request cannot be checked, and so not signed: ${why}.`,
  );
}
