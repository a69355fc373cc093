import { randomUUID } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseJson, printJson } from '../../src/iceberg/json.ts';

interface SnapshotJson {
  readonly [member: string]: unknown;
  readonly 'timestamp-ms': number;
}

interface MetadataJson {
  readonly [member: string]: unknown;
  readonly snapshots: readonly SnapshotJson[];
}

/**
 * Registers a table with `snapshots` of them: a table of one append, its snapshot repeated with other ids and times before it. The newest is the
 * real one, so that writers can go on from it.
 */
export async function registerLongHistory(
  uri: string,
  directory: string,
  seed: string,
  name: string,
  snapshots: number,
): Promise<void> {
  const [namespace = '', table = ''] = seed.split('.');
  const loaded = await fetchJson(`${uri}/v1/namespaces/${namespace}/tables/${table}`);
  const metadata = parseJson(await readFile(fileURLToPath(asUrl(String(loaded['metadata-location']))), 'utf8')) as MetadataJson;
  const [newest] = metadata.snapshots.slice(-1);
  if (newest === undefined) throw new Error(`${seed} has no snapshot`);
  const location = `file://${directory}/tables/${name}-${randomUUID()}`;
  const older = Array.from({ length: snapshots - 1 }, (_, index) => ({
    ...newest,
    'snapshot-id': BigInt(index + 1),
    'parent-snapshot-id': index === 0 ? undefined : BigInt(index),
    'sequence-number': 1,
    'timestamp-ms': newest['timestamp-ms'] - (snapshots - index) * 1000,
  }));
  const grown = {
    ...metadata,
    'table-uuid': randomUUID(),
    location,
    snapshots: [...older, { ...newest, 'parent-snapshot-id': BigInt(snapshots - 1) }],
    'snapshot-log': [...older, newest].map((each) => ({
      'snapshot-id': each['snapshot-id'],
      'timestamp-ms': each['timestamp-ms'],
    })),
    'metadata-log': [],
  };
  const file = join(fileURLToPath(location), 'metadata', `00000-${randomUUID()}.metadata.json`);
  await mkdir(join(file, '..'), { recursive: true });
  await writeFile(file, printJson(grown));
  await fetchJson(`${uri}/v1/namespaces/${namespace}/register`, { name, 'metadata-location': `file://${file}` });
}

function asUrl(location: string): string {
  return location.startsWith('file:') ? location.replace(/^file:\/*/, 'file:///') : `file://${location}`;
}

async function fetchJson(url: string, body?: unknown): Promise<Readonly<Record<string, unknown>>> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url, body === undefined ? {} : { method: 'POST', headers, body: JSON.stringify(body) });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${text}`);
  return parseJson(text) as Readonly<Record<string, unknown>>;
}
