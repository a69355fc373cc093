import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * The Python of the virtual environment that holds exactly the packages of a lock file; built under `~/.cache/icecore` on first use and
 * named by the lock's digest, so a changed lock never meets an old environment.
 */
export function pythonEnvironment(lockFile: string): string {
  const lock = readFileSync(lockFile);
  const digest = createHash('sha256').update(lock).digest('hex').slice(0, 16);
  const root = join(homedir(), '.cache', 'icecore', 'python');
  const directory = join(root, digest);
  const python = join(directory, 'bin', 'python');
  const complete = join(directory, 'complete');
  if (existsSync(complete)) return python;
  mkdirSync(root, { recursive: true });
  withLock(join(root, `${digest}.lock`), () => {
    if (existsSync(complete)) return;
    rmSync(directory, { recursive: true, force: true });
    run('python3', ['-m', 'venv', directory]);
    run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps', '-r', lockFile]);
    writeFileSync(`${complete}.new`, lockFile);
    renameSync(`${complete}.new`, complete);
  });
  return python;
}

/** Several test processes may want the same environment at once: the first builds it, the others wait. */
function withLock(directory: string, work: () => void): void {
  const deadlineMs = Date.now() + 10 * 60_000;
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

function run(command: string, args: readonly string[]): void {
  const result = spawnSync(command, args, { encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`${command} ${args.join(' ')} failed: ${result.stderr || result.error?.message}`);
}
