/** A thread that decodes its share of a directory's row groups each time it is told to, and answers with how many rows they had. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';
import { parseFields } from '../../src/iceberg/type-json.ts';
import { readFileMetadata, storedFile } from '../../src/parquet/file-metadata.ts';
import { freeColumn } from '../../src/parquet/memory.ts';
import { type OpenRowGroup, openRowGroup } from '../../src/parquet/open-row-group.ts';
import { LocalStorage } from '../../src/storage/local-storage.ts';
import { columns } from '../feed/rows.ts';

export interface DecodeShare {
  readonly root: string;
  readonly worker: number;
  readonly workers: number;
}

const { root, worker, workers } = workerData as DecodeShare;
const storage = new LocalStorage({ roots: [root] });
const fields = parseFields(
  { type: 'struct', fields: columns.map((column, index) => ({ ...column, id: index + 1, required: false })) },
  'bench',
);

/** Opens a group while the one before it is decoded, as the feed does. */
async function decode(directory: string): Promise<number> {
  const files = readdirSync(directory).filter((_, index) => index % workers === worker);
  let rows = 0;
  let opened: OpenRowGroup | null = null;
  const decodeOpened = async (): Promise<void> => {
    if (opened === null) return;
    rows += opened.rowCount;
    for await (const { data } of opened.columns()) if (data !== null) freeColumn(data);
  };
  for (const name of files) {
    const path = join(directory, name);
    const file = storedFile(storage, pathToFileURL(path).href, statSync(path).size);
    const metadata = await readFileMetadata(file);
    for (const index of metadata.rowGroups.keys()) {
      const next = openRowGroup(file, metadata, index, fields);
      await decodeOpened();
      opened = next;
    }
  }
  await decodeOpened();
  return rows;
}

parentPort?.on('message', (directory: string) => {
  decode(directory).then(
    (rows) => parentPort?.postMessage(rows),
    (error: unknown) => {
      throw error;
    },
  );
});
