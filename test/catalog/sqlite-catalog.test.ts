import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openCatalog } from '../../src/catalog/open-catalog.ts';
import { systemClock } from '../../src/clock.ts';
import { catalogBehaviours } from './catalog-behaviours.ts';

describe('the SQLite catalog', () => {
  catalogBehaviours(async () => {
    const directory = await mkdtemp(join(tmpdir(), 'icecore-catalog-'));
    const uri = `sqlite:${join(directory, 'below', 'catalog.db')}`;
    return {
      uri,
      connect: (clock) => openCatalog(uri, clock),
      remove: () => rm(directory, { recursive: true }),
    };
  });

  describe('opening', () => {
    let directory: string;

    beforeEach(async () => {
      directory = await mkdtemp(join(tmpdir(), 'icecore-catalog-'));
    });

    afterEach(async () => {
      await rm(directory, { recursive: true });
    });

    test('many at once, on a file that is not there yet', async () => {
      const uri = `sqlite:${directory}/catalog.db`;
      const catalogs = await Promise.all(Array.from({ length: 8 }, () => openCatalog(uri, systemClock)));
      await Promise.all(catalogs.map((catalog) => catalog.commit({ entries: [{ table: 't', subject: 's', row: '{}' }] })));
      expect(await catalogs[0]?.headSeq()).toBe(8n);
      for (const catalog of catalogs) await catalog.close();
    });

    test('what was committed is there after closing; a closed catalog takes no commit', async () => {
      const uri = `sqlite:${directory}/catalog.db`;
      const first = await openCatalog(uri, systemClock);
      const pending = first.commit({ entries: [{ table: 't', subject: 's', row: '{}' }] });
      await first.close();
      expect((await pending).seqs).toEqual([1n]);
      await expect(first.commit({})).rejects.toMatchObject({ code: 'OVERLOADED', retryable: true });
      const second = await openCatalog(uri, systemClock);
      expect(await second.headSeq()).toBe(1n);
      await second.close();
    });

    test('a file that is no database, and one of a newer server, are refused by name', async () => {
      const text = join(directory, 'notes.txt');
      await writeFile(text, 'these are notes, and no database at all '.repeat(50));
      await expect(openCatalog(`sqlite:${text}`, systemClock)).rejects.toMatchObject({
        code: 'FAILED_PRECONDITION',
        message: expect.stringContaining(`${text} is not a SQLite database`),
      });
      const newer = join(directory, 'newer.db');
      await openCatalog(`sqlite:${newer}`, systemClock).then((catalog) => catalog.close());
      const database = new DatabaseSync(newer);
      database.exec('INSERT INTO schema_versions VALUES (999, 0)');
      database.close();
      await expect(openCatalog(`sqlite:${newer}`, systemClock)).rejects.toMatchObject({
        code: 'FAILED_PRECONDITION',
        message: expect.stringMatching(/schema version 999/),
      });
    });

    test.each([
      ['postgres://ann:secret@127.0.0.1:1/db', 'FAILED_PRECONDITION'],
      ['rest:http://ann:secret@127.0.0.1:1', 'OVERLOADED'],
      ['mysql://ann:secret@host', 'BAD_USER_INPUT'],
      ['secret', 'BAD_USER_INPUT'],
      ['sqlite:', 'BAD_USER_INPUT'],
    ])('%s is refused without a word of what it holds', async (uri, code) => {
      const error = await openCatalog(uri, systemClock).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code });
      expect(`${error} ${JSON.stringify(error)}`).not.toContain('secret');
    });
  });
});
