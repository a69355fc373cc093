import { createHash, randomUUID } from 'node:crypto';
import { appendFile, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { ByteLru } from '../../tables/byte-lru.ts';

const shardCount = 64;
const idBytes = 16;
/** Length of the content and CRC-32 of all that follows, then the id. */
const headBytes = 8 + idBytes;

/**
 * Small facts by key, in memory and on local disk, that can be found out again: each may be gone at any time, torn ones are. A directory of a
 * few files, each one record behind the other, so that many are read at once; servers may share it. The older half of a file
 * leaves where it grows too large.
 */
export class KeptRecords {
  readonly #directory: string;
  readonly #shardBytesMax: number;
  readonly #memory: ByteLru<Buffer>;
  /** Of the files that are whole, when they were last written. */
  readonly #sizes = new Map<number, number>();
  #writing: Promise<void> = Promise.resolve();

  constructor(directory: string, limits: { readonly diskBytesMax: number; readonly memoryBytesMax: number }) {
    this.#directory = directory;
    this.#shardBytesMax = Math.floor(limits.diskBytesMax / shardCount);
    this.#memory = new ByteLru(limits.memoryBytesMax);
  }

  /** Those that are there. */
  async get(keys: Iterable<string>): Promise<ReadonlyMap<string, Buffer>> {
    const found = new Map<string, Buffer>();
    const missing: { readonly key: string; readonly id: Buffer }[] = [];
    for (const key of new Set(keys)) {
      const known = this.#memory.get(key);
      if (known === undefined) missing.push({ key, id: idOf(key) });
      else found.set(key, known);
    }
    for (const [shard, wanted] of Map.groupBy(missing, ({ id }) => shardOf(id))) {
      const records = new Map((await this.#read(shard)).records.map(({ id, content }) => [id.toString('latin1'), content]));
      for (const { key, id } of wanted) {
        const content = records.get(id.toString('latin1'));
        if (content === undefined) continue;
        // Of its own, so that it does not hold the whole file.
        const own = Buffer.from(content);
        found.set(key, own);
        this.#remember(key, own);
      }
    }
    return found;
  }

  /** Keeps what it can; never throws. */
  async put(records: ReadonlyMap<string, Buffer>): Promise<void> {
    const all = [...records].map(([key, content]) => {
      this.#remember(key, content);
      return { id: idOf(key), content };
    });
    this.#writing = this.#writing.then(async () => {
      for (const [shard, some] of Map.groupBy(all, ({ id }) => shardOf(id))) {
        await this.#append(shard, some).catch(() => undefined);
      }
    });
    await this.#writing;
  }

  #remember(key: string, content: Buffer): void {
    this.#memory.set(key, content, content.length + 2 * key.length + 100);
  }

  async #append(shard: number, records: readonly KeptRecord[]): Promise<void> {
    const bytes = Buffer.concat(records.map(recordBytes));
    const path = this.#path(shard);
    const size = await sizeOf(path);
    // As it was left: it need not be looked over again.
    const isKnown = this.#sizes.get(shard) === size;
    if (size + bytes.length <= this.#shardBytesMax && (isKnown || (await this.#read(shard)).isWhole)) {
      // One write, so that what others append does not come in between.
      await appendToFile(path, bytes);
      this.#sizes.set(shard, size + bytes.length);
      return;
    }
    const { records: before } = await this.#read(shard);
    let room = Math.floor(this.#shardBytesMax / 2);
    const newest = new Map<string, Buffer>();
    for (const record of [...before, ...records].reverse()) {
      const id = record.id.toString('latin1');
      const one = recordBytes(record);
      if (newest.has(id) || one.length > room) continue;
      room -= one.length;
      newest.set(id, one);
    }
    const temporary = `${path}.${randomUUID()}.tmp`;
    await mkdir(this.#directory, { recursive: true });
    try {
      await appendFile(temporary, Buffer.concat([...newest.values()].reverse()));
      await rename(temporary, path);
    } finally {
      await rm(temporary, { force: true });
    }
  }

  async #read(shard: number): Promise<Shard> {
    const bytes = await readFile(this.#path(shard)).catch(() => Buffer.alloc(0));
    const records: KeptRecord[] = [];
    let at = 0;
    while (at + headBytes <= bytes.length) {
      const end = at + headBytes + bytes.readUInt32LE(at);
      if (end > bytes.length || crc32(bytes.subarray(at + 8, end)) !== bytes.readUInt32LE(at + 4)) break;
      records.push({ id: bytes.subarray(at + 8, at + headBytes), content: bytes.subarray(at + headBytes, end) });
      at = end;
    }
    return { records, isWhole: at === bytes.length };
  }

  #path(shard: number): string {
    return join(this.#directory, `${shard.toString(16).padStart(2, '0')}.records`);
  }
}

interface KeptRecord {
  readonly id: Buffer;
  readonly content: Buffer;
}

interface Shard {
  /** The oldest first. */
  readonly records: readonly KeptRecord[];
  /** False where it goes on with something that is no record. */
  readonly isWhole: boolean;
}

function idOf(key: string): Buffer {
  return createHash('sha256').update(key).digest().subarray(0, idBytes);
}

function shardOf(id: Buffer): number {
  return (id[0] ?? 0) % shardCount;
}

function recordBytes({ id, content }: KeptRecord): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(content.length);
  head.writeUInt32LE(crc32(content, crc32(id)), 4);
  return Buffer.concat([head, id, content]);
}

async function sizeOf(path: string): Promise<number> {
  return await stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

async function appendToFile(path: string, bytes: Buffer): Promise<void> {
  const file = await open(path, 'a').catch(async () => {
    await mkdir(join(path, '..'), { recursive: true });
    return await open(path, 'a');
  });
  try {
    await file.write(bytes);
  } finally {
    await file.close();
  }
}
