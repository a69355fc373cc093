import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

const waitMsMax = 10 * 60_000;

/** A path under `~/.cache/icecore`, where the tests keep what they bring. */
export function cachePath(...parts: readonly string[]): string {
  return join(homedir(), '.cache', 'icecore', ...parts);
}

/** `directory`, which `build` fills on first use; what an interrupted build left is cleared first. Name it by what it is built from. */
export function builtOnce(directory: string, build: () => void): string {
  const complete = join(directory, 'complete');
  if (existsSync(complete)) return directory;
  mkdirSync(dirname(directory), { recursive: true });
  withLock(`${directory}.lock`, () => {
    if (existsSync(complete)) return;
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(directory);
    build();
    writeFileSync(`${complete}.new`, '');
    renameSync(`${complete}.new`, complete);
  });
  return directory;
}

/** Several test processes may want the same thing at once: the first builds it, the others wait. */
function withLock(directory: string, work: () => void): void {
  const deadlineMs = Date.now() + waitMsMax;
  for (;;) {
    try {
      mkdirSync(directory);
      break;
    } catch {
      if (Date.now() > deadlineMs)
        throw new Error(`${directory} has been held for ten minutes; remove it if nothing is building there`);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 250);
    }
  }
  try {
    work();
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
