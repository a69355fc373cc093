import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { SigningKey } from '../../src/audit/signing-key.ts';

test('servers that start at once over one file make one key, and none of them finds it half written', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'icecore-key-'));
  try {
    const path = join(directory, 'below', 'signing-key.pem');
    const first = Array.from({ length: 8 }, () => SigningKey.load(path));
    // The moment that the file has its name.
    while (!existsSync(path)) await new Promise((turn) => setImmediate(turn));
    const keys = await Promise.all([...first, SigningKey.load(path)]);
    expect(new Set(keys.map(({ keyId }) => keyId)).size).toBe(1);
    expect((await readdir(join(directory, 'below'))).toSorted()).toEqual(['signing-key.pem', 'signing-key.pem.pub']);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await SigningKey.load(path)).keyId).toBe(keys[0]?.keyId);
  } finally {
    await rm(directory, { recursive: true });
  }
});
