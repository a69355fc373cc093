import { availableParallelism, totalmem } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { IcecoreError } from './errors.ts';

/** How a server is run: from flags, else from the environment, else by default. */
export interface Config {
  readonly host: string;
  readonly port: number;
  /** Directory, `file:///…` or `s3://bucket/prefix`. */
  readonly warehouse: string;
  /** `sqlite:FILE`, `postgres://…`, or `rest:URL`, which is read alone. */
  readonly catalog: string;
  /** Local disk that can be lost at any time. */
  readonly cacheDirectory: string;
  /** ICECORE_FEED_CACHE_BYTES: of the feeds' decoded columns there; undefined for a share of the disk (limits.ts). */
  readonly feedCacheBytesMax: number | undefined;
  /** ICECORE_API_KEYS: a JSON list or a file with one; undefined for a server without access control. */
  readonly apiKeys: string | undefined;
  /** ICECORE_GRANTS: a JSON list or a file with one: which tables each subject may read and write. */
  readonly grants: string | undefined;
  /** Directories that `rows: { file }` may read from. */
  readonly fileRoots: readonly string[];
  /** Further locations that tables may be at, besides the warehouse. */
  readonly allowedLocations: readonly string[];
  /** ICECORE_STORAGE_CREDENTIALS: a JSON list or a file with one: keys of scoped identities that clients get. Secret. */
  readonly storageCredentials: string | undefined;
  /** How clients reach the S3 store, where they are to be told: `https://host:port` and a region. */
  readonly clientS3Endpoint: string | undefined;
  readonly clientS3Region: string | undefined;
  /** Origins that scoring may call. */
  readonly modelOrigins: readonly string[];
  /** Whether a server that checks no identities may approve models. */
  readonly allowLocalApproval: boolean;
  /** Signs decisions and checkpoints; made where it is missing. Belongs outside the warehouse. */
  readonly signingKeyFile: string;
  /** Files with the public keys of earlier signing keys. */
  readonly formerKeyFiles: readonly string[];
  /** The file that checkpoints of the audit chain are appended to; belongs on another disk. */
  readonly auditAnchorFile: string;
  /** A key that GraphiQL's headers are filled with, for demonstrations. */
  readonly graphiqlKey: string | undefined;
  /** Ends with the process that started it. */
  readonly stopWithParent: boolean;
  /** Of each of the two instances of DuckDB. */
  readonly engineMemoryBytesMax: number;
  readonly engineThreads: number;
  /** ICECORE_DUCKDB_EXTENSIONS: a directory with DuckDB's extension `httpfs`, for machines that cannot download it. */
  readonly duckdbExtensions: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

const defaultDirectory = 'icecore-data';
/** Of each of DuckDB's two instances; the rest is for the process itself. */
const memoryShare = 0.25;

/** Throws BAD_USER_INPUT, naming the flag or variable. */
export function parseConfig(args: readonly string[], environment: Environment): Config {
  const flags = parseFlags(args);
  const choose = (flag: string | undefined, variable: string): string | undefined => flag ?? nonEmpty(environment[variable]);
  const catalog = choose(flags.catalog, 'ICECORE_CATALOG') ?? `sqlite:${join(defaultDirectory, 'catalog.sqlite')}`;
  const directory = catalog.startsWith('sqlite:') ? dirname(resolve(catalog.slice('sqlite:'.length))) : resolve(defaultDirectory);
  return {
    host: choose(flags.host, 'ICECORE_HOST') ?? '127.0.0.1',
    port: portOf(choose(flags.port, 'ICECORE_PORT') ?? '4000'),
    warehouse: choose(flags.warehouse, 'ICECORE_WAREHOUSE') ?? join(directory, 'warehouse'),
    catalog,
    cacheDirectory: resolve(nonEmpty(environment.ICECORE_CACHE_DIR) ?? join(directory, 'cache')),
    feedCacheBytesMax: bytesOf('ICECORE_FEED_CACHE_BYTES', nonEmpty(environment.ICECORE_FEED_CACHE_BYTES)),
    apiKeys: nonEmpty(environment.ICECORE_API_KEYS),
    grants: nonEmpty(environment.ICECORE_GRANTS),
    fileRoots: listOf(environment.ICECORE_FILE_ROOTS, delimiter).map((root) => resolve(root)),
    allowedLocations: listOf(environment.ICECORE_ALLOWED_LOCATIONS, ','),
    storageCredentials: nonEmpty(environment.ICECORE_STORAGE_CREDENTIALS),
    clientS3Endpoint: nonEmpty(environment.ICECORE_CLIENT_S3_ENDPOINT),
    clientS3Region: nonEmpty(environment.ICECORE_CLIENT_S3_REGION),
    modelOrigins: listOf(environment.ICECORE_ALLOWED_MODEL_ORIGINS, ','),
    allowLocalApproval: flags['allow-local-approval'] ?? environment.ICECORE_ALLOW_LOCAL_APPROVAL === 'true',
    signingKeyFile: resolve(nonEmpty(environment.ICECORE_SIGNING_KEY) ?? join(directory, 'signing-key.pem')),
    formerKeyFiles: listOf(environment.ICECORE_FORMER_KEYS, delimiter).map((file) => resolve(file)),
    auditAnchorFile: resolve(nonEmpty(environment.ICECORE_AUDIT_ANCHOR) ?? join(directory, 'audit-anchor.jsonl')),
    graphiqlKey: nonEmpty(environment.ICECORE_GRAPHIQL_KEY),
    stopWithParent: environment.ICECORE_STOP_WITH_PARENT === 'true',
    engineMemoryBytesMax: Math.floor(totalmem() * memoryShare),
    engineThreads: availableParallelism(),
    duckdbExtensions: nonEmpty(environment.ICECORE_DUCKDB_EXTENSIONS),
  };
}

interface Flags {
  readonly host?: string;
  readonly port?: string;
  readonly warehouse?: string;
  readonly catalog?: string;
  readonly 'allow-local-approval'?: boolean;
}

function parseFlags(args: readonly string[]): Flags {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        host: { type: 'string' },
        port: { type: 'string' },
        warehouse: { type: 'string' },
        catalog: { type: 'string' },
        'allow-local-approval': { type: 'boolean' },
      },
    });
    return values;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new IcecoreError(
      'BAD_USER_INPUT',
      `${reason}. Flags of serve: --host, --port, --warehouse, --catalog, --allow-local-approval.`,
    );
  }
}

function portOf(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new IcecoreError('BAD_USER_INPUT', `"${text}" is no port: give a number from 0 to 65535 with --port or ICECORE_PORT.`);
}

function bytesOf(variable: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const bytes = Number(text);
  if (/^\d+$/.test(text.trim()) && Number.isSafeInteger(bytes)) return bytes;
  throw new IcecoreError(
    'BAD_USER_INPUT',
    `${variable} is "${text}", which is no number of bytes: give one in digits, such as 64000000000.`,
  );
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === undefined || text.trim() === '' ? undefined : text;
}

function listOf(text: string | undefined, separator: string): readonly string[] {
  return (text ?? '')
    .split(separator)
    .map((item) => item.trim())
    .filter((item) => item !== '');
}
