import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseAccessDelegation } from '../../src/rest-catalog/access-delegation.ts';
import { StorageCredentials } from '../../src/rest-catalog/storage-credentials.ts';
import { parseLocation } from '../../src/storage/location.ts';

const secret = 'the-secret-key-of-a-scoped-identity';
const entry = { prefix: 's3://lake/warehouse', accessKeyId: 'AKSCOPED', secretAccessKey: secret };

async function load(entries: readonly unknown[], ownKeyId = 'AKOWN'): Promise<StorageCredentials> {
  return await StorageCredentials.load(JSON.stringify(entries), ownKeyId);
}

function found(
  credentials: StorageCredentials,
  location: string,
  access: 'read' | 'write' = 'write',
  subject = 'ada',
): string | null {
  return credentials.find(parseLocation(location), access, subject)?.keys.accessKeyId ?? null;
}

describe('which credential a table gets', () => {
  const key = (prefix: string, accessKeyId: string, more: object = {}) => ({
    prefix,
    accessKeyId,
    secretAccessKey: secret,
    ...more,
  });

  test('that of the longest prefix that holds its location', async () => {
    const credentials = await load([
      key('s3://lake', 'A'),
      key('s3://lake/warehouse/raw/', 'B'),
      key('s3a://lake/warehouse', 'C'),
    ]);
    expect(found(credentials, 's3://lake/warehouse/raw/t')).toBe('B');
    expect(found(credentials, 's3n://lake/warehouse/raw2/t')).toBe('C');
    expect(found(credentials, 's3://lake/warehouse-2/t')).toBe('A');
    expect(found(credentials, 's3://lakes/warehouse/t')).toBeNull();
    expect(found(credentials, 'file:///lake/warehouse/t')).toBeNull();
  });

  test('a reader gets one for reading or none, a writer rather one for writing', async () => {
    const credentials = await load([
      key('s3://lake/warehouse', 'WRITE'),
      key('s3://lake/warehouse/raw', 'READ', { for: 'read' }),
    ]);
    expect(found(credentials, 's3://lake/warehouse/raw/t', 'read')).toBe('READ');
    expect(found(credentials, 's3://lake/warehouse/raw/t', 'write')).toBe('WRITE');
    expect(found(credentials, 's3://lake/warehouse/other/t', 'read')).toBeNull();
    expect(found(await load([key('s3://lake', 'READ', { for: 'read' })]), 's3://lake/t', 'write')).toBe('READ');
  });

  test('one that names subjects is for them alone, and theirs before that of everybody', async () => {
    const credentials = await load([
      key('s3://lake', 'ALL'),
      key('s3://lake', 'ADA', { subjects: ['ada'] }),
      key('s3://lake/raw', 'BOB', { subjects: ['bob'] }),
    ]);
    expect(found(credentials, 's3://lake/raw/t', 'write', 'ada')).toBe('ADA');
    expect(found(credentials, 's3://lake/raw/t', 'write', 'bob')).toBe('BOB');
    expect(found(credentials, 's3://lake/raw/t', 'write', 'eve')).toBe('ALL');
  });
});

describe('what is configured', () => {
  let directory: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'icecore-credentials-'));
  });

  afterAll(async () => {
    await rm(directory, { recursive: true });
  });

  test('none is none, and a file does as well as a list', async () => {
    expect((await StorageCredentials.load(undefined, 'AKOWN')).isEmpty).toBe(true);
    const file = join(directory, 'credentials.json');
    await writeFile(file, JSON.stringify([entry]));
    expect(found(await StorageCredentials.load(file, undefined), 's3://lake/warehouse/t')).toBe('AKSCOPED');
    await expect(StorageCredentials.load(join(directory, 'missing.json'), undefined)).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  test('a client gets keys, and what it needs to reach the store', async () => {
    const given = { ...entry, sessionToken: 'token', endpoint: 'http://127.0.0.1:8333', region: 'eu-central-1' };
    const credentials = await load([given]);
    expect(credentials.find(parseLocation('s3://lake/warehouse/t'), 'write', 'ada')?.config()).toEqual({
      's3.access-key-id': 'AKSCOPED',
      's3.secret-access-key': secret,
      's3.session-token': 'token',
      's3.endpoint': 'http://127.0.0.1:8333',
      's3.region': 'eu-central-1',
      'client.region': 'eu-central-1',
      's3.path-style-access': 'true',
    });
  });

  test("the server's own keys are refused at the start", async () => {
    await expect(load([{ ...entry, accessKeyId: 'AKOWN' }])).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      message: expect.stringMatching(/^ICECORE_STORAGE_CREDENTIALS\[0\] has the keys of this server itself/),
    });
  });

  test.each([
    ['no list', JSON.stringify(entry)],
    ['an empty list', '[]'],
    ['broken JSON', `[{"secretAccessKey": "${secret}"`],
    ['an entry that is no object', JSON.stringify([[secret]])],
    ['an entry that is a text', JSON.stringify([secret])],
    ['an unknown member', JSON.stringify([{ ...entry, readOnly: true }])],
    ['no prefix', JSON.stringify([{ ...entry, prefix: undefined }])],
    ['a prefix on disk', JSON.stringify([{ ...entry, prefix: 'file:///tmp' }])],
    ['a prefix that leads up', JSON.stringify([{ ...entry, prefix: 's3://lake/a/../b' }])],
    ['no secret', JSON.stringify([{ ...entry, secretAccessKey: undefined }])],
    ['a secret that is no text', JSON.stringify([{ ...entry, secretAccessKey: [secret] }])],
    ['a secret with a space', JSON.stringify([{ ...entry, secretAccessKey: `${secret} ` }])],
    ['a token that is no text', JSON.stringify([{ ...entry, sessionToken: { secret } }])],
    ['no subject', JSON.stringify([{ ...entry, subjects: [] }])],
    ['another purpose', JSON.stringify([{ ...entry, for: 'all' }])],
    ['an endpoint with a password', JSON.stringify([{ ...entry, endpoint: `http://a:${secret}@127.0.0.1` }])],
    ['an endpoint that is none', JSON.stringify([{ ...entry, endpoint: 'localhost:8333' }])],
  ])('%s is refused, and no secret is told', async (_what, text) => {
    const refusal: unknown = await StorageCredentials.load(text, 'AKOWN').catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'BAD_USER_INPUT', message: expect.stringContaining('ICECORE_STORAGE_CREDENTIALS') });
    expect(inspect(refusal, { depth: 10 })).not.toContain(secret);
  });

  test('nothing that is printed of a credential shows its secret', async () => {
    const credential = (await load([{ ...entry, sessionToken: `${secret}-token` }])).find(
      parseLocation('s3://lake/warehouse/t'),
      'write',
      'ada',
    );
    for (const print of [
      JSON.stringify,
      String,
      (value: unknown) => inspect(value, { depth: 10, showHidden: true, getters: false }),
    ]) {
      expect(print(credential)).not.toContain(secret);
    }
    expect(JSON.stringify({ ...credential })).not.toContain(secret);
  });
});

test.each([
  [undefined, []],
  ['', []],
  ['vended-credentials', ['vended-credentials']],
  ['remote-signing,vended-credentials', ['remote-signing', 'vended-credentials']],
  [' Vended-Credentials , something-else', ['vended-credentials']],
])('the header %j asks for %j', (header, names) => {
  expect([...parseAccessDelegation(header)]).toEqual(names);
});
