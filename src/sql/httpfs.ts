import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { IcecoreError } from '../errors.ts';
import { quoteText } from './quote.ts';

/** How DuckDB reads objects where they are, with its extension `httpfs`. */
export interface Httpfs {
  /** Statements for a new instance, before it is locked; they hold secrets. */
  readonly setup: readonly string[];
}

/** What other characters mean in DuckDB's paths, patterns and escapes, they are no matter of: such objects are read as local copies. */
const plainKey = /^s3:\/\/[A-Za-z0-9._/=-]+$/;

export function isPlainObject(location: string): boolean {
  return plainKey.test(location);
}

/**
 * The extension as `directory` holds it (ICECORE_DUCKDB_EXTENSIONS), else as DuckDB has or can install it; null where it is not to be had, or
 * where the environment has no keys that stay (those of instance roles change, and DuckDB would go on with the old ones). Throws
 * FAILED_PRECONDITION where `directory` is given and holds no extension that this DuckDB loads.
 */
export async function findHttpfs(directory: string | undefined, environment: NodeJS.ProcessEnv): Promise<Httpfs | null> {
  const { AWS_ACCESS_KEY_ID: keyId, AWS_SECRET_ACCESS_KEY: secret, AWS_SESSION_TOKEN: session } = environment;
  const load = directory === undefined ? ['INSTALL httpfs', 'LOAD httpfs'] : [`LOAD ${quoteText(extensionFile(directory))}`];
  if (!keyId || !secret || session) return null;
  const setup = [...load, secretStatement(environment, keyId, secret)];
  try {
    await tryOut(setup);
  } catch (cause) {
    if (directory === undefined) return null;
    throw new IcecoreError(
      'FAILED_PRECONDITION',
      `ICECORE_DUCKDB_EXTENSIONS is ${directory}, and its httpfs.duckdb_extension is none that DuckDB 1.5.5 on this machine loads.`,
      { context: { directory }, cause },
    );
  }
  // It is installed by now, once for all instances.
  return { setup: directory === undefined ? setup.slice(1) : setup };
}

function extensionFile(directory: string): string {
  const file = join(directory, 'httpfs.duckdb_extension');
  if (existsSync(file)) return file;
  throw new IcecoreError(
    'FAILED_PRECONDITION',
    `ICECORE_DUCKDB_EXTENSIONS is ${directory}, and there is no httpfs.duckdb_extension in it.`,
    { context: { directory } },
  );
}

function secretStatement(environment: NodeJS.ProcessEnv, keyId: string, secret: string): string {
  const endpoint = environment.AWS_ENDPOINT_URL_S3 || environment.AWS_ENDPOINT_URL;
  const region = environment.AWS_REGION || environment.AWS_DEFAULT_REGION || 'us-east-1';
  const options = [`KEY_ID ${quoteText(keyId)}`, `SECRET ${quoteText(secret)}`, `REGION ${quoteText(region)}`];
  if (endpoint) {
    const { host, protocol } = new URL(endpoint);
    const style = environment.AWS_S3_FORCE_PATH_STYLE === 'false' ? 'vhost' : 'path';
    options.push(`ENDPOINT ${quoteText(host)}`, `USE_SSL ${protocol === 'https:'}`, `URL_STYLE ${quoteText(style)}`);
  }
  return `CREATE SECRET icecore (TYPE s3, ${options.join(', ')})`;
}

async function tryOut(setup: readonly string[]): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    for (const statement of setup) await connection.run(statement);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
