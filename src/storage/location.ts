import { resolve } from 'node:path';
import { IcecoreError } from '../errors.ts';

/** A location taken apart. Paths and keys stand as they are written: `%3D` in one is three characters, as Iceberg's writers mean it. */
export type Location =
  | { readonly scheme: 'file'; readonly path: string }
  | { readonly scheme: 's3'; readonly bucket: string; readonly key: string };

/**
 * Understands `file:///abs`, `file:/abs`, a bare absolute path, `s3://bucket/key`, and Hadoop's names `s3a` and `s3n`
 * for it, as they occur in other engines' metadata. Throws BAD_USER_INPUT for anything else.
 */
export function parseLocation(location: string): Location {
  if (location.includes('\0')) throw malformed(location, 'holds a zero byte');
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(location)?.[1]?.toLowerCase();
  if (scheme === undefined) {
    if (!location.startsWith('/')) throw malformed(location, 'is not absolute');
    return { scheme: 'file', path: resolve(location) };
  }
  const rest = location.slice(scheme.length + 1);
  if (scheme === 'file') return { scheme, path: filePath(location, rest) };
  if (scheme === 's3' || scheme === 's3a' || scheme === 's3n') return s3Object(location, rest);
  throw malformed(location, `has the scheme '${scheme}'`);
}

/** The one spelling of a location that this server uses: `file:///abs/path` or `s3://bucket/key`. */
export function printLocation(location: Location): string {
  return location.scheme === 'file' ? `file://${location.path}` : `s3://${location.bucket}/${location.key}`;
}

/** Brings another engine's spelling of a location to this server's, so that the two can be compared. */
export function canonicalLocation(location: string): string {
  return printLocation(parseLocation(location));
}

/** Whether a location is `root` or lies below it, both taken apart. Says nothing about symbolic links. */
export function liesUnder(location: Location, root: Location): boolean {
  if (location.scheme === 'file') return root.scheme === 'file' && pathLiesUnder(location.path, root.path);
  return root.scheme === 's3' && location.bucket === root.bucket && pathLiesUnder(location.key, root.key);
}

export function pathLiesUnder(path: string, root: string): boolean {
  const bare = root.endsWith('/') ? root.slice(0, -1) : root;
  return bare === '' || path === bare || path.startsWith(`${bare}/`);
}

function filePath(location: string, rest: string): string {
  if (/^\/\/\//.test(rest)) return resolve(rest.slice(2));
  if (rest.startsWith('//')) throw malformed(location, 'names another machine');
  if (!rest.startsWith('/')) throw malformed(location, 'is not absolute');
  return resolve(rest);
}

function s3Object(location: string, rest: string): Location {
  const match = /^\/\/([^/]+)(?:\/(.*))?$/s.exec(rest);
  const [, bucket, key = ''] = match ?? [];
  if (bucket === undefined) throw malformed(location, 'names no bucket');
  // A server that keeps objects as files would take these for directories, and so leave the allowed prefix.
  if (key.split('/').some((part) => part === '..' || part === '.')) throw malformed(location, "holds '.' or '..' as a part");
  return { scheme: 's3', bucket, key };
}

function malformed(location: string, why: string): IcecoreError {
  return new IcecoreError(
    'BAD_USER_INPUT',
    `The location '${location}' ${why}: write file:///absolute/path or s3://bucket/key.`,
    { context: { location } },
  );
}
