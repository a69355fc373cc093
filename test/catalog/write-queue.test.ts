import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { integer } from '../../src/catalog/row.ts';
import { Database } from '../../src/catalog/sqlite/database.ts';
import { WriteQueue } from '../../src/catalog/sqlite/write-queue.ts';

let directory: string;
let database: Database;
let queue: WriteQueue;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'icecore-queue-'));
  database = new Database(join(directory, 'queue.db'), 10);
  database.execute('PRAGMA journal_mode = WAL; CREATE TABLE notes (body TEXT NOT NULL) STRICT');
  queue = new WriteQueue(database);
});

afterEach(async () => {
  await queue.close();
  database.close();
  await rm(directory, { recursive: true });
});

const count = () => integer(database.row('SELECT count(*) AS count FROM notes') ?? {}, 'count');
const insert = (body: string) => database.run('INSERT INTO notes VALUES (?)', body);

test('writes asked for together share a transaction, and each fails alone', async () => {
  const versions = new Set<bigint>();
  const outcomes = await Promise.allSettled(
    Array.from({ length: 50 }, (_, index) =>
      queue.enqueue(() => {
        insert(`note ${index}`);
        expect(database.inTransaction).toBe(true);
        if (index % 5 === 0) throw new Error(`refused ${index}`);
        versions.add(count());
        return index;
      }),
    ),
  );
  expect(outcomes.filter((outcome) => outcome.status === 'rejected')).toHaveLength(10);
  expect(outcomes[5]).toMatchObject({ reason: { message: 'refused 5' } });
  expect(outcomes[6]).toMatchObject({ value: 6 });
  expect(count()).toBe(40n);
});

test('on a full disk nobody is told of success without having it', async () => {
  database.execute('PRAGMA max_page_count = 30');
  const body = 'x'.repeat(20_000);
  const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => queue.enqueue(() => insert(body))));
  const made = outcomes.filter((outcome) => outcome.status === 'fulfilled').length;
  expect(made).toBeLessThan(20);
  expect(count()).toBe(BigInt(made));
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected')
      expect(outcome.reason).toMatchObject({ code: 'OVERLOADED', message: expect.stringMatching(/disk .* is full/) });
  }
  database.execute('PRAGMA max_page_count = 1000');
  await queue.enqueue(() => insert(body));
  expect(count()).toBe(BigInt(made + 1));
});

test('a write waits for another connection that holds the lock, and the event loop goes on meanwhile', async () => {
  const other = new Database(join(directory, 'queue.db'), 10);
  other.run('BEGIN IMMEDIATE');
  let done = false;
  const writing = queue
    .enqueue(() => insert('late'))
    .then(() => {
      done = true;
    });
  for (let turn = 0; turn < 20; turn += 1) await new Promise((next) => setImmediate(next));
  expect(done).toBe(false);
  other.run('COMMIT');
  other.close();
  await writing;
  expect(count()).toBe(1n);
});

test('a closed queue finishes what waits and takes nothing new', async () => {
  const waiting = queue.enqueue(() => insert('first'));
  await queue.close();
  await waiting;
  await expect(queue.enqueue(() => insert('second'))).rejects.toMatchObject({ code: 'OVERLOADED', retryable: true });
});
