import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { builtOnce, cachePath } from './built-once.ts';
import { output } from './command.ts';

/**
 * The Python of the virtual environment that holds exactly the packages of a lock file; built under `~/.cache/icecore` on first use and
 * named by the lock's digest, so a changed lock never meets an old environment.
 */
export function pythonEnvironment(lockFile: string): string {
  const digest = createHash('sha256').update(readFileSync(lockFile)).digest('hex').slice(0, 16);
  const directory = cachePath('python', digest);
  const python = join(directory, 'bin', 'python');
  builtOnce(directory, () => {
    output('python3', ['-m', 'venv', directory]);
    output(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps', '-r', lockFile]);
  });
  return python;
}
