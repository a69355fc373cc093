import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { icebergKitClasspath } from './iceberg-kit.ts';

export interface ReferenceCatalog {
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * The REST catalog of the compatibility kit's fixtures (Iceberg's own JdbcCatalog over SQLite) on a free port of 127.0.0.1, its
 * warehouse and its database in `directory`. Ends with this process, however that ends.
 */
export async function startReferenceCatalog(directory: string): Promise<ReferenceCatalog> {
  await mkdir(`${directory}/warehouse`, { recursive: true });
  const child = spawn(
    'java',
    [
      '-Xmx1g',
      `-Djava.io.tmpdir=${directory}`,
      '-Dorg.slf4j.simpleLogger.defaultLogLevel=off',
      ...['-cp', icebergKitClasspath()],
      'org.apache.iceberg.rest.ReferenceCatalog',
    ],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: {
        ...process.env,
        CATALOG_CATALOG__IMPL: 'org.apache.iceberg.jdbc.JdbcCatalog',
        CATALOG_URI: `jdbc:sqlite:file:${directory}/catalog.db`,
        CATALOG_JDBC_USER: 'user',
        CATALOG_JDBC_PASSWORD: 'password',
        // A table's namespace has to be there.
        CATALOG_JDBC_STRICT__MODE: 'true',
        CATALOG_WAREHOUSE: `file://${directory}/warehouse`,
      },
    },
  );
  const ended = once(child, 'exit');
  for await (const line of createInterface(child.stdout)) {
    if (!/^\d+$/.test(line)) continue;
    child.stdout.resume();
    const stop = async (): Promise<void> => {
      child.kill('SIGKILL');
      await ended;
    };
    return { url: `http://127.0.0.1:${line}`, stop };
  }
  await ended;
  throw new Error('the reference catalog ended before it listened');
}
