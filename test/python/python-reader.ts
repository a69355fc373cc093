import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pythonEnvironment } from '../environment/python.ts';

export interface ReadBatch {
  /** The column n, a long. */
  readonly n: readonly number[];
  /** Of all columns. */
  readonly digest: string;
  readonly cursor: string;
  readonly done: boolean;
}

export interface ReadTraining {
  readonly names: readonly string[];
  readonly types: readonly string[];
  readonly rowsTotal: number;
  readonly snapshotId: string;
  readonly batches: readonly ReadBatch[];
  /** Where reading was refused, with its message. */
  readonly code?: string;
  readonly message?: string;
}

const folder = join(import.meta.dirname, '../../python');

export function icecorePython(): string {
  return pythonEnvironment(join(import.meta.dirname, 'icecore.lock'));
}

/** What a program of Python prints, with the package icecore at hand. Throws with what it complained of where it fails. */
export async function printed(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<string> {
  const env = { ...process.env, PYTHONPATH: folder, PYTHONDONTWRITEBYTECODE: '1', ...environment };
  const { stdout } = await promisify(execFile)(icecorePython(), [...args], { env, maxBuffer: 1 << 28 });
  return stdout;
}

/** What `icecore.arrow.read_training` reads with these keywords; `take` stops it after so many batches. */
export async function readTraining(asked: Readonly<Record<string, unknown>>): Promise<ReadTraining> {
  return JSON.parse(await printed([join(import.meta.dirname, 'read_training.py'), JSON.stringify(asked)])) as ReadTraining;
}
