import { type Clock, nowMs } from '../../clock.ts';
import { IcecoreError } from '../../errors.ts';
import { integer, type Row } from '../row.ts';

/**
 * Each brings the schema one version further; the numbers are Postgres's own, and not SQLite's. Never edited once released: a change is a
 * new one at the end. Names sort by their bytes (COLLATE "C"), whatever the database's locale.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE icecore.pointers (
    printed text COLLATE "C" PRIMARY KEY,
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('table', 'view')),
    namespace text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    uuid text COLLATE "C" NOT NULL UNIQUE,
    metadata_location text NOT NULL
  ) WITH (fillfactor = 70);
  CREATE INDEX pointers_in_namespace ON icecore.pointers (namespace, kind, printed);

  CREATE TABLE icecore.namespaces (
    printed text COLLATE "C" PRIMARY KEY,
    parent text COLLATE "C" NOT NULL,
    parts text NOT NULL,
    properties text NOT NULL
  );
  CREATE INDEX namespaces_below ON icecore.namespaces (parent, printed);

  CREATE TABLE icecore.journal (
    seq bigint PRIMARY KEY,
    table_name text COLLATE "C" NOT NULL,
    subject text COLLATE "C" NOT NULL,
    body text NOT NULL,
    flushed_at_ms bigint
  ) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_analyze_scale_factor = 0,
    autovacuum_analyze_threshold = 5000);
  CREATE INDEX journal_pending ON icecore.journal (table_name, seq) WHERE flushed_at_ms IS NULL;
  CREATE INDEX journal_flushed ON icecore.journal (flushed_at_ms) WHERE flushed_at_ms IS NOT NULL;

  CREATE TABLE icecore.journal_heads (subject text COLLATE "C" PRIMARY KEY, seq bigint NOT NULL) WITH (fillfactor = 70);
  CREATE TABLE icecore.chain_heads (
    chain text COLLATE "C" PRIMARY KEY,
    seq bigint NOT NULL,
    hash text NOT NULL
  ) WITH (fillfactor = 10);

  CREATE TABLE icecore.leases (
    lease text COLLATE "C" PRIMARY KEY,
    owner text NOT NULL,
    fence bigint NOT NULL,
    expires_at_ms bigint NOT NULL
  ) WITH (fillfactor = 10);
  CREATE SEQUENCE icecore.fences AS bigint;

  CREATE TABLE icecore.answers (
    scope text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    input_sha256 text NOT NULL,
    answer text NOT NULL,
    expires_at_ms bigint NOT NULL,
    PRIMARY KEY (scope, key)
  );
  CREATE INDEX answers_expiry ON icecore.answers (expires_at_ms);

  CREATE TABLE icecore.counters (
    id bigint PRIMARY KEY CHECK (id = 1),
    head_seq bigint NOT NULL,
    trimmed_through_seq bigint NOT NULL,
    commits bigint NOT NULL
  ) WITH (fillfactor = 10);
  INSERT INTO icecore.counters VALUES (1, 0, 0, 0);

  CREATE TABLE icecore.writers (
    origin text COLLATE "C" PRIMARY KEY,
    commits bigint NOT NULL,
    committed_at timestamptz NOT NULL
  ) WITH (fillfactor = 10);
  `,
];

/** Any number that means this and nothing else in the database. */
const migrationLock = 7_236_021_993_415n;

interface Transaction {
  query(sql: string, values?: readonly unknown[]): Promise<{ readonly rows: readonly Row[] }>;
}

/**
 * Brings the schema `icecore` of a database to this server's version, in the caller's transaction; of several servers that do it at once,
 * one does the work. Throws FAILED_PRECONDITION where a newer server has been there, and for a database that cannot hold every name.
 */
export async function migrate(transaction: Transaction, printed: string, clock: Clock): Promise<void> {
  await transaction.query('SELECT pg_advisory_xact_lock($1)', [migrationLock]);
  // IF NOT EXISTS would want the right to create them even where they are there.
  const { rows: found } = await transaction.query(
    `SELECT to_regnamespace('icecore')::text AS schema, to_regclass('icecore.schema_versions')::text AS versions,
      current_setting('server_encoding') AS encoding`,
  );
  if (found[0]?.encoding !== 'UTF8') throw notUnicode(printed, String(found[0]?.encoding));
  if (found[0]?.schema === null) await transaction.query('CREATE SCHEMA icecore');
  if (found[0]?.versions === null) {
    await transaction.query('CREATE TABLE icecore.schema_versions (version bigint PRIMARY KEY, applied_at_ms bigint NOT NULL)');
  }
  const { rows } = await transaction.query('SELECT coalesce(max(version), 0)::bigint AS version FROM icecore.schema_versions');
  const version = rows[0] === undefined ? 0 : Number(integer(rows[0], 'version'));
  if (version > migrations.length) throw tooNew(printed, version);
  for (const [index, migration] of migrations.entries()) {
    if (index < version) continue;
    await transaction.query(migration);
    await transaction.query('INSERT INTO icecore.schema_versions VALUES ($1, $2)', [index + 1, nowMs(clock)]);
  }
}

function notUnicode(printed: string, encoding: string): IcecoreError {
  return new IcecoreError(
    'FAILED_PRECONDITION',
    `The database ${printed} has the encoding ${encoding}, and a catalog holds names in any script: make one with ENCODING 'UTF8'.`,
    { context: { catalog: printed, encoding } },
  );
}

function tooNew(printed: string, version: number): IcecoreError {
  return new IcecoreError(
    'FAILED_PRECONDITION',
    `The catalog at ${printed} has schema version ${version}, and this server knows versions up to ${migrations.length}: ` +
      'start the newer Icecore that wrote it.',
    { context: { catalog: printed, version, known: migrations.length } },
  );
}
