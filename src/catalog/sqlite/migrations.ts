import { type Clock, nowMs } from '../../clock.ts';
import { IcecoreError } from '../../errors.ts';
import { integer } from '../row.ts';
import type { Database } from './database.ts';

/** Each brings the schema one version further. Never edited once released: a change is a new one at the end. */
export const migrations: readonly string[] = [
  `
  CREATE TABLE pointers (
    printed TEXT PRIMARY KEY,
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    uuid TEXT NOT NULL UNIQUE,
    metadata_location TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE journal (
    seq INTEGER PRIMARY KEY,
    table_name TEXT NOT NULL,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    flushed_at_ms INTEGER
  ) STRICT;
  CREATE INDEX journal_pending ON journal (table_name, seq) WHERE flushed_at_ms IS NULL;
  CREATE INDEX journal_flushed ON journal (flushed_at_ms) WHERE flushed_at_ms IS NOT NULL;

  CREATE TABLE journal_heads (subject TEXT PRIMARY KEY, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE chain_heads (chain TEXT PRIMARY KEY, seq INTEGER NOT NULL, hash TEXT NOT NULL) STRICT, WITHOUT ROWID;

  CREATE TABLE leases (
    lease TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    fence INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE answers (
    scope TEXT NOT NULL,
    key TEXT NOT NULL,
    input_sha256 TEXT NOT NULL,
    answer TEXT NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    PRIMARY KEY (scope, key)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX answers_expiry ON answers (expires_at_ms);

  CREATE TABLE counters (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    head_seq INTEGER NOT NULL,
    trimmed_through_seq INTEGER NOT NULL,
    fence INTEGER NOT NULL
  ) STRICT;
  INSERT INTO counters VALUES (1, 0, 0, 0);
  `,
  // Namespaces of their own, views beside tables. A namespace is printed as its parts, in double quotes where they hold a dot or a quote.
  `
  ALTER TABLE pointers ADD COLUMN kind TEXT NOT NULL DEFAULT 'table' CHECK (kind IN ('table', 'view'));
  CREATE INDEX pointers_in_namespace ON pointers (namespace, kind, printed);

  CREATE TABLE namespaces (
    printed TEXT PRIMARY KEY,
    parent TEXT NOT NULL,
    parts TEXT NOT NULL,
    properties TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX namespaces_below ON namespaces (parent, printed);

  WITH prefixes AS (
    SELECT tables.namespace AS namespace, part.key AS depth
    FROM (SELECT DISTINCT namespace FROM pointers) tables, json_each(tables.namespace) part
  ), named AS (
    SELECT prefixes.namespace, depth, part.key AS position, part.value AS part,
      CASE WHEN part.value = '' OR instr(part.value, '.') > 0 OR instr(part.value, '"') > 0
        THEN '"' || replace(part.value, '"', '""') || '"' ELSE part.value END AS printed
    FROM prefixes, json_each(prefixes.namespace) part
    WHERE part.key <= depth
  )
  INSERT OR IGNORE INTO namespaces
  SELECT group_concat(printed, '.' ORDER BY position),
    coalesce(group_concat(printed, '.' ORDER BY position) FILTER (WHERE position < depth), ''),
    json_group_array(part ORDER BY position),
    '{}'
  FROM named GROUP BY namespace, depth;
  `,
];

/**
 * Brings a catalog file to this server's schema; several processes may do it at once, one does the work.
 * Throws FAILED_PRECONDITION where a newer server has been there.
 */
export function migrate(database: Database, path: string, clock: Clock): void {
  database.execute('BEGIN IMMEDIATE');
  try {
    database.execute(
      'CREATE TABLE IF NOT EXISTS schema_versions (version INTEGER PRIMARY KEY, applied_at_ms INTEGER NOT NULL) STRICT',
    );
    const newest = database.row('SELECT coalesce(max(version), 0) AS version FROM schema_versions');
    const version = newest === undefined ? 0 : Number(integer(newest, 'version'));
    if (version > migrations.length) throw tooNew(path, version);
    for (const [index, migration] of migrations.entries()) {
      if (index < version) continue;
      database.execute(migration);
      database.run('INSERT INTO schema_versions VALUES (?, ?)', index + 1, nowMs(clock));
    }
    database.execute('COMMIT');
  } catch (error) {
    if (database.inTransaction) database.execute('ROLLBACK');
    throw error;
  }
}

function tooNew(path: string, version: number): IcecoreError {
  return new IcecoreError(
    'FAILED_PRECONDITION',
    `The catalog ${path} has schema version ${version}, and this server knows versions up to ${migrations.length}: ` +
      'start the newer Icecore that wrote it.',
    { context: { catalog: path, version, known: migrations.length } },
  );
}
