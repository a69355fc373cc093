import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cachePath } from './built-once.ts';
import { output } from './command.ts';

/** The path of a jar from Maven's central repository, fetched on first use and kept under `~/.cache/icecore`. */
export function mavenJar(group: string, artifact: string, version: string): string {
  const directory = cachePath('maven');
  const jar = join(directory, `${artifact}-${version}.jar`);
  if (existsSync(jar)) return jar;
  mkdirSync(directory, { recursive: true });
  const args = ['--batch-mode', '--quiet', 'dependency:copy', `-Dartifact=${group}:${artifact}:${version}`];
  const result = spawnSync('mvn', [...args, `-DoutputDirectory=${directory}`], { cwd: directory, encoding: 'utf8' });
  if (result.status !== 0 || !existsSync(jar)) throw new Error(`mvn could not fetch ${artifact} ${version}: ${result.stdout}`);
  return jar;
}

/** The jars that a pom names and what they need, in Maven's order; fetched into a repository of the tests' own. */
export function mavenClasspath(pom: string, listFile: string): readonly string[] {
  const repository = `-Dmaven.repo.local=${cachePath('maven', 'repository')}`;
  output('mvn', ['-q', '-B', '-f', pom, repository, 'dependency:build-classpath', `-Dmdep.outputFile=${listFile}`]);
  return readFileSync(listFile, 'utf8').trim().split(':');
}
