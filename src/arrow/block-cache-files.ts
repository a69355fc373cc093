import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { feedCacheLeftOverMs } from '../limits.ts';

const blocksSuffix = '.blocks';
const temporarySuffix = '.tmp';

/** A file of the cache as it lies on the disk. */
export interface CacheFile {
  readonly path: string;
  readonly bytes: number;
  readonly modifiedMs: number;
}

/** The name of a key's file: keys are longer than names may be. */
export function blockFileName(key: string): string {
  return createHash('sha256').update(key).digest('hex') + blocksSuffix;
}

/** A name for a file while it is written: it tells the host and process that do, so that what one left behind is known for that. */
export function temporaryName(path: string): string {
  return `${path}.${hostLabel()}.${process.pid}.${randomUUID()}${temporarySuffix}`;
}

/** Whether somebody writes a file, or wrote it once. */
export function isTemporary(path: string): boolean {
  return path.endsWith(temporarySuffix);
}

/**
 * What a cache's directory holds; made where it is missing. Temporary files of processes that are gone are removed, and those of others
 * than this one counted: it knows its own.
 */
export async function scanCache(directory: string): Promise<readonly CacheFile[]> {
  await mkdir(directory, { recursive: true });
  const files: CacheFile[] = [];
  const names = (await readdir(directory)).filter((name) => name.endsWith(blocksSuffix) || isTemporary(name));
  for (let first = 0; first < names.length; first += scannedAtOnce) {
    const found = await Promise.all(
      names.slice(first, first + scannedAtOnce).map((name) => scanFile(join(directory, name), name)),
    );
    files.push(...found.filter((file) => file !== null));
  }
  return files;
}

/** Bytes of the files that this process is writing. */
export async function ownTemporaryBytes(directory: string): Promise<number> {
  const names = await readdir(directory).catch(() => []);
  let bytes = 0;
  for (const name of names.filter((name) => ownerOf(name)?.isOwn)) {
    bytes += (await stat(join(directory, name)).catch(() => null))?.size ?? 0;
  }
  return bytes;
}

const scannedAtOnce = 32;

async function scanFile(path: string, name: string): Promise<CacheFile | null> {
  const found = await stat(path).catch(() => null);
  if (found === null || !found.isFile()) return null;
  const file = { path, bytes: found.size, modifiedMs: found.mtimeMs };
  if (name.endsWith(blocksSuffix)) return file;
  if (!isLeftOver(name, found.mtimeMs)) return ownerOf(name)?.isOwn ? null : file;
  await rm(path, { force: true }).catch(() => undefined);
  return null;
}

/** Whoever still writes a file changes it all the time. A number of a process says nothing about another host's. */
function isLeftOver(name: string, modifiedMs: number): boolean {
  const owner = ownerOf(name);
  if (owner?.isOwn && modifiedMs < Date.now() - process.uptime() * 1000 - clockSlackMs) return true;
  if (owner !== null && owner.host === hostLabel() && isGone(owner.pid)) return true;
  return modifiedMs < Date.now() - feedCacheLeftOverMs;
}

/** A file's time is the kernel's, which ticks, and a process counts its own from a little later. */
const clockSlackMs = 1000;

function ownerOf(name: string): { readonly host: string; readonly pid: number; readonly isOwn: boolean } | null {
  const [, host, pid] = /\.([^.]+)\.(\d+)\.[^.]+\.tmp$/.exec(name) ?? [];
  if (host === undefined) return null;
  return { host, pid: Number(pid), isOwn: host === hostLabel() && Number(pid) === process.pid };
}

function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

function hostLabel(): string {
  return encodeURIComponent(hostname()).replaceAll('.', '%2E');
}
