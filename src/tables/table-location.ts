import { randomUUID } from 'node:crypto';
import type { TableIdentifier } from '../iceberg/identifier.ts';

/**
 * Where a new table keeps its files: `<warehouse>/<namespace>/<name>-<8 hex of its uuid>`, so that a table that takes the name of a
 * dropped one never meets its files.
 */
export function newTableLocation(warehouse: string, identifier: TableIdentifier, uuid: string): string {
  return `${namespaceLocation(warehouse, identifier.namespace)}/${folderName(`${identifier.name}-${uuid.slice(0, 8)}`)}`;
}

/** Whether nothing but the table's own files can lie there, since the server made the folder for it. */
export function isOwnFolder(location: string, uuid: string): boolean {
  return location.endsWith(`-${uuid.slice(0, 8)}`);
}

/** `<warehouse>/<namespace>`, where the folders of its tables are. */
export function namespaceLocation(warehouse: string, namespace: readonly string[]): string {
  return [warehouse.replace(/\/+$/, ''), ...namespace.map(folderName)].join('/');
}

/** Anything but plain ASCII becomes `_`: engines disagree on escapes in locations. */
function folderName(part: string): string {
  const plain = part.replaceAll(/[^A-Za-z0-9_.-]/gu, '_').slice(0, 200);
  return /^\.+$/.test(plain) ? plain.replaceAll('.', '_') : plain;
}

/**
 * `<location>/metadata/<version>-<uuid>.metadata.json`, the version one above the previous file's; in the directory that the property
 * `write.metadata.path` names, where it is among those given. Of tables and views.
 */
export function nextMetadataLocation(
  location: string,
  previous: string | null,
  properties: Readonly<Record<string, string>> = {},
): string {
  const directory = properties['write.metadata.path']?.replace(/\/+$/, '') ?? `${location}/metadata`;
  const name = previous?.slice(previous.lastIndexOf('/') + 1) ?? '';
  const version = /^v?(\d{1,15})[-.]/.exec(name)?.[1];
  const next = version === undefined ? 0 : Number(version) + 1;
  return `${directory}/${next.toString().padStart(5, '0')}-${randomUUID()}.metadata.json`;
}
