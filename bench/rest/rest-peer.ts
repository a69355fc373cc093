import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { startReferenceCatalog } from '../../test/environment/reference-catalog.ts';
import { ServerProcess } from '../../test/http/server-process.ts';

/** A REST catalog that is measured, with an empty warehouse of its own on local disk. */
export interface RestPeer {
  /** What clients are given as `uri`. */
  readonly uri: string;
  stop(): Promise<void>;
}

/** Icecore as `npm start` runs it, on SQLite, its audit log and all. */
export async function startIcecore(directory: string): Promise<RestPeer> {
  const server = await ServerProcess.start({ ICECORE_ALLOWED_LOCATIONS: `file://${directory}/tables` });
  return { uri: `${server.origin}/iceberg`, stop: () => server.stop() };
}

/** The catalog that Iceberg's own tests run against, on SQLite too. */
export async function startReference(directory: string): Promise<RestPeer> {
  const own = join(directory, 'reference');
  await mkdir(own, { recursive: true });
  const catalog = await startReferenceCatalog(own);
  return { uri: catalog.url, stop: catalog.stop };
}
