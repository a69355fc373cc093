import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, link, mkdir, open, rename, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isErrno } from './storage-error.ts';

/**
 * Writes a whole file at once: readers see all of it or nothing, also after a crash. Under `ifAbsent` throws EEXIST
 * where something is there; of several writers one wins.
 */
export async function writeDurably(path: string, bytes: Uint8Array, ifAbsent: boolean): Promise<void> {
  const made = await writeUnsettled(path, bytes, ifAbsent);
  await syncDirectories(dirname(path), made);
}

/** The same, durable once `syncDirectories` is done for its directory. Gives the topmost directory that was made for it, if any. */
export async function writeUnsettled(path: string, bytes: Uint8Array, ifAbsent: boolean): Promise<string | undefined> {
  const made = await mkdir(dirname(path), { recursive: true });
  const temporary = temporaryBeside(path);
  try {
    const file = await open(temporary, 'wx');
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    // A rename would replace what is there; a link refuses.
    if (ifAbsent) await link(temporary, path);
    else await rename(temporary, path);
  } catch (error) {
    await unlinkQuietly(temporary);
    throw error;
  }
  if (ifAbsent) await unlinkQuietly(temporary);
  return made;
}

/** Moves a finished file, across file systems by way of a copy. Durable when it resolves. */
export async function moveDurably(from: string, to: string): Promise<void> {
  await syncPath(from);
  const made = await mkdir(dirname(to), { recursive: true });
  try {
    await rename(from, to);
  } catch (error) {
    if (!isErrno(error, 'EXDEV')) throw error;
    await copyDurably(from, to);
    await unlinkQuietly(from);
  }
  await syncDirectories(dirname(to), made);
}

async function copyDurably(from: string, to: string): Promise<void> {
  const temporary = temporaryBeside(to);
  try {
    await copyFile(from, temporary, constants.COPYFILE_EXCL);
    await syncPath(temporary);
    await rename(temporary, to);
  } catch (error) {
    await unlinkQuietly(temporary);
    throw error;
  }
}

/** A crash leaves it behind under a name that no metadata mentions, so orphan removal takes it. */
function temporaryBeside(path: string): string {
  return join(dirname(path), `.icecore-${randomUUID()}.tmp`);
}

/** The directory that holds the file, and those made for it, up to the parent of the topmost one. */
export async function syncDirectories(directory: string, topmostMade: string | undefined): Promise<void> {
  await syncPath(directory);
  if (topmostMade === undefined) return;
  for (let at = directory; ; at = dirname(at)) {
    await syncPath(dirname(at));
    if (at === topmostMade || dirname(at) === at) return;
  }
}

async function syncPath(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

async function unlinkQuietly(path: string): Promise<void> {
  await unlink(path).catch(() => undefined);
}
