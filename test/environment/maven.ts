import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** The path of a jar from Maven's central repository, fetched on first use and kept under `~/.cache/icecore`. */
export function mavenJar(group: string, artifact: string, version: string): string {
  const directory = join(homedir(), '.cache', 'icecore', 'maven');
  const jar = join(directory, `${artifact}-${version}.jar`);
  if (existsSync(jar)) return jar;
  mkdirSync(directory, { recursive: true });
  const args = ['--batch-mode', '--quiet', 'dependency:copy', `-Dartifact=${group}:${artifact}:${version}`];
  const result = spawnSync('mvn', [...args, `-DoutputDirectory=${directory}`], { cwd: directory, encoding: 'utf8' });
  if (result.status !== 0 || !existsSync(jar)) throw new Error(`mvn could not fetch ${artifact} ${version}: ${result.stdout}`);
  return jar;
}
