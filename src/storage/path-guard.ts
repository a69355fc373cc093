import { lstat, realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pathLiesUnder } from './location.ts';
import { isErrno, outsideRoots } from './storage-error.ts';

/** Of roots that exist: should one be moved or made a link later, what it leads to then lies outside of it, and is refused. */
const realRoots = new Map<string, string>();

async function realRootOf(root: string): Promise<string | null> {
  try {
    const real = await realpath(root);
    realRoots.set(root, real);
    return real;
  } catch {
    return await realPathOf(root);
  }
}

/**
 * The path with every symbolic link in it followed, provided that it lies under one of the roots; throws FORBIDDEN
 * otherwise, naming the location. What does not exist yet is judged by its deepest directory that does.
 */
export async function guardedPath(location: string, path: string, roots: readonly string[]): Promise<string> {
  const real = await realPathOf(path);
  if (real === null) throw outsideRoots(location);
  for (const root of roots) {
    const realRoot = realRoots.get(root) ?? (await realRootOf(root));
    if (realRoot !== null && pathLiesUnder(real, realRoot)) return real;
  }
  throw outsideRoots(location);
}

/** The path with every link followed, existing or not. Null for a link that leads nowhere: nobody can say where a file made through it would be. */
export async function realPathOf(path: string): Promise<string | null> {
  try {
    return await realpath(path);
  } catch (error) {
    if (isErrno(error, 'ELOOP')) return null;
    if (!isErrno(error, 'ENOENT') && !isErrno(error, 'ENOTDIR')) throw error;
  }
  const parent = dirname(path);
  if (parent === path || (await isLink(path))) return null;
  const realParent = await realPathOf(parent);
  return realParent === null ? null : join(realParent, basename(path));
}

async function isLink(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isSymbolicLink();
  } catch {
    return false;
  }
}
