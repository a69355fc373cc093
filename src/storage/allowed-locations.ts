import { resolve } from 'node:path';
import { IcecoreError } from '../errors.ts';
import { locationLengthMax } from '../limits.ts';
import { type Location, liesUnder, parseLocation, printLocation } from './location.ts';
import { guardedPath, realPathOf } from './path-guard.ts';

/** Where tables may live: the warehouse, and what `ICECORE_ALLOWED_LOCATIONS` adds to it. */
export interface AllowedLocations {
  readonly warehouse: Location;
  /** The warehouse among them. */
  readonly roots: readonly Location[];
}

/**
 * `warehouse` is a directory, `file:///…` or `s3://bucket/prefix`, and the others are spelled the same; a relative path is taken from
 * the working directory. Throws BAD_USER_INPUT for anything else.
 */
export function allowedLocations(warehouse: string, others: readonly string[] = []): AllowedLocations {
  const first = parseNamedRoot(warehouse, 'The warehouse');
  return { warehouse: first, roots: [first, ...others.map((other) => parseNamedRoot(other, 'ICECORE_ALLOWED_LOCATIONS'))] };
}

/**
 * Judges a location that a caller wants kept in metadata: of a table or a view, or of what belongs to one. Gives it as it was written,
 * without slashes at its end, for engines compare it as text. `what` begins the message, such as `The location of raw.flights`. Throws
 * BAD_USER_INPUT for what is no plain location, FORBIDDEN for one that lies elsewhere. Links on disk are followed by
 * `requireReachableLocation`, and again whenever storage is used.
 */
export function requireAllowedLocation(locations: AllowedLocations, text: string, what: string): string {
  const location = parsePlain(text, what);
  if (!locations.roots.some((root) => liesUnder(location, root))) throw elsewhere(locations, text, what);
  return trimSlashes(text);
}

/** The same, and refuses a path that a symbolic link leads out of the allowed locations. */
export async function requireReachableLocation(locations: AllowedLocations, text: string, what: string): Promise<string> {
  const given = requireAllowedLocation(locations, text, what);
  const location = parseLocation(given);
  if (location.scheme !== 'file') return given;
  try {
    await guardedPath(given, location.path, localRoots(locations));
  } catch (error) {
    if (error instanceof IcecoreError && error.code === 'FORBIDDEN') throw elsewhere(locations, text, what);
    throw error;
  }
  return given;
}

/** The paths of those that are on local disk. */
export function localRoots(locations: AllowedLocations): readonly string[] {
  return locations.roots.flatMap((root) => (root.scheme === 'file' ? [root.path] : []));
}

/** The same with every link followed, as paths are once storage has judged them. */
export async function realLocalRoots(locations: AllowedLocations): Promise<readonly string[]> {
  return await Promise.all(localRoots(locations).map(async (path) => (await realPathOf(path)) ?? path));
}

export function parseRoot(root: string): Location {
  return parseLocation(/^[A-Za-z][A-Za-z0-9+.-]*:/.test(root) ? root : resolve(root));
}

function parseNamedRoot(root: string, name: string): Location {
  try {
    return parseRoot(root);
  } catch (cause) {
    if (!(cause instanceof IcecoreError)) throw cause;
    throw new IcecoreError('BAD_USER_INPUT', `${name}: ${cause.message}`, { cause, context: cause.context });
  }
}

/** Spellings that engines take apart in different ways are refused, so that all of them mean the place that was judged. */
function parsePlain(text: string, what: string): Location {
  if (text.length > locationLengthMax) {
    throw new IcecoreError('BAD_USER_INPUT', `${what} has ${text.length} characters, and may have ${locationLengthMax}.`);
  }
  let location: Location;
  try {
    location = parseLocation(text);
  } catch (error) {
    if (!(error instanceof IcecoreError)) throw error;
    throw new IcecoreError('BAD_USER_INPUT', `${what} cannot be used. ${error.message}`, {
      context: { location: text },
      cause: error,
    });
  }
  const fault = ambiguity(text);
  if (fault === null) return location;
  throw new IcecoreError(
    'BAD_USER_INPUT',
    `${what}, ${JSON.stringify(text)}, holds ${fault}, which engines understand in different ways: leave it out.`,
    { context: { location: text } },
  );
}

function ambiguity(text: string): string | null {
  const decoded = decodeFully(text);
  if (decoded.split('/').some((part) => part === '..' || part === '.')) return "'.' or '..' as a part";
  if (/[\p{Cc}\p{Cs}]/u.test(text) || [...decoded].some((character) => character < ' ')) return 'a control character';
  const odd = /[?#\\]/.exec(text)?.[0];
  return odd === undefined ? null : `'${odd}'`;
}

/** With percent escapes undone until there are none: some clients and stores decode once, some twice. */
function decodeFully(text: string): string {
  let decoded = text;
  for (;;) {
    const next = decoded.replaceAll(/%([0-9A-Fa-f]{2})/g, (_escape, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
    if (next === decoded) return decoded.replaceAll('\\', '/');
    decoded = next;
  }
}

function trimSlashes(text: string): string {
  const trimmed = text.replace(/\/+$/, '');
  // What was nothing but a root keeps its slash.
  return trimmed === '' || /^[A-Za-z][A-Za-z0-9+.-]*:$/.test(trimmed) ? text : trimmed;
}

function elsewhere(locations: AllowedLocations, text: string, what: string): IcecoreError {
  const warehouse = trimSlashes(printLocation(locations.warehouse));
  return new IcecoreError(
    'FORBIDDEN',
    `${what}, ${text}, is outside the warehouse and the allowed locations of this server: put it below ${warehouse}, leave it out ` +
      'so that the server chooses, or have the operator name its place in ICECORE_ALLOWED_LOCATIONS.',
    { context: { location: text } },
  );
}
