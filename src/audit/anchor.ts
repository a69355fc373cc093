import { mkdir, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Checkpoint, parseCheckpoint, printCheckpoint } from './checkpoint.ts';

/** Where checkpoints are kept out of reach of whoever can write the warehouse. */
export interface Anchor {
  /** What verifications name: a path or a URL. */
  readonly name: string;
  append(checkpoint: Checkpoint): Promise<void>;
  /** Oldest first, null for what is there and is no checkpoint. */
  read(): Promise<readonly (Checkpoint | null)[]>;
}

/** A file of checkpoints, one line each, only ever appended to; best on another disk, under another user. */
export function fileAnchor(path: string): Anchor {
  return {
    name: path,
    async append(checkpoint) {
      await mkdir(dirname(path), { recursive: true });
      const file = await open(path, 'a', 0o644);
      try {
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
