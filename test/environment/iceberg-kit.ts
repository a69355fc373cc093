import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { builtOnce, cachePath } from './built-once.ts';
import { output } from './command.ts';
import { mavenClasspath } from './maven.ts';

const sources = fileURLToPath(new URL('iceberg-kit', import.meta.url));

/**
 * The class path of Iceberg's REST compatibility kit and of the catalog in its fixtures, with our few classes beside them: about 160 MB
 * from Maven the first time. Needs Java 17 and Maven.
 */
export function icebergKitClasspath(): string {
  const pom = join(sources, 'pom.xml');
  const java = globSync('**/*.java', { cwd: sources })
    .toSorted()
    .map((name) => join(sources, name));
  const digest = createHash('sha256');
  for (const file of [pom, ...java]) digest.update(readFileSync(file));
  const directory = cachePath('iceberg-kit', digest.digest('hex').slice(0, 16));
  const list = join(directory, 'jars');
  const classes = join(directory, 'classes');
  builtOnce(directory, () => {
    const jars = mavenClasspath(pom, list);
    output('javac', ['-cp', jars.join(':'), '-d', classes, ...java]);
  });
  return `${classes}:${readFileSync(list, 'utf8').trim()}`;
}
