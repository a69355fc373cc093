import { type FileHandle, mkdir, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { anchorLineBytesMax } from '../limits.ts';
import { type Checkpoint, parseCheckpoint, printCheckpoint } from './checkpoint.ts';

/** Where checkpoints are kept out of reach of whoever can write the warehouse. */
export interface Anchor {
  /** What verifications name: a path or a URL. */
  readonly name: string;
  append(checkpoint: Checkpoint): Promise<void>;
  /** Oldest first, null for what is there and is no checkpoint. */
  read(): Promise<readonly (Checkpoint | null)[]>;
}

/** What a crash cut off while it was written never counted, and would spoil the line that comes after it. */
async function removeTornLine(file: FileHandle): Promise<void> {
  const { size } = await file.stat();
  const { bytesRead, buffer } = await file.read(
    Buffer.alloc(anchorLineBytesMax),
    0,
    anchorLineBytesMax,
    Math.max(0, size - anchorLineBytesMax),
  );
  const kept = buffer.subarray(0, bytesRead).lastIndexOf('\n') + 1;
  // A longer piece is none of ours: a verification is to report it.
  if (kept < bytesRead && (kept > 0 || bytesRead === size)) await file.truncate(size - bytesRead + kept);
}

/** A file of checkpoints, one line each, only ever appended to; best on another disk, under another user. */
export function fileAnchor(path: string): Anchor {
  return {
    name: path,
    async append(checkpoint) {
      await mkdir(dirname(path), { recursive: true });
      const file = await open(path, 'a+', 0o644);
      try {
        await removeTornLine(file);
        await file.appendFile(`${printCheckpoint(checkpoint)}\n`);
        await file.sync();
      } finally {
        await file.close();
      }
    },
    async read() {
      const text = await readFile(path, 'utf8').catch((error: unknown) => {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
        throw error;
      });
      const lines = text.split('\n');
      // A line without its end is one that a crash cut off while it was written: it never counted.
      return lines.slice(0, -1).map(parseCheckpoint);
    },
  };
}
