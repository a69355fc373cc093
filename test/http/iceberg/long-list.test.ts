import { request as send } from 'node:http';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { pageRowsMax } from '../../../src/limits.ts';
import { startTestServer, type TestServer } from '../test-server.ts';

const count = 12 * pageRowsMax + 7;
const long = 'x'.repeat(100);
const nameOf = (index: number) => `${String(index).padStart(6, '0')}${long}`;
let server: TestServer;
const warnings: string[] = [];
const listen = ({ name, message }: Error) => warnings.push(`${name}: ${message}`);
beforeAll(async () => {
  process.on('warning', listen);
  server = await startTestServer({
    keys: JSON.stringify([{ key: 'key-of-ada', subject: 'ada', kind: 'HUMAN', roles: ['viewer'] }]),
    grants: JSON.stringify([{ subject: 'ada', on: 'many', may: 'read' }]),
  });
  const { access, catalog } = server.icecore;
  const all = ['many', 'hidden'].flatMap((top) => Array.from({ length: count }, (_, index) => [top, nameOf(index)]));
  await access.asServer(() =>
    catalog.commit({ namespaces: all.map((parts) => ({ kind: 'create', namespace: { parts, properties: {} } })) }),
  );
});
afterAll(async () => {
  process.off('warning', listen);
  await server.close();
});

/** Reads one piece at a time, so that the server has to wait for its client. */
function list(parent: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: 'Bearer key-of-ada' };
    send(`${server.origin}/iceberg/v1/namespaces?parent=${parent}`, { headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
        response.pause();
        setImmediate(() => response.resume());
      });
      response.on('end', () => resolve(text)).on('error', reject);
    })
      .on('error', reject)
      .end();
  });
}

it('a list of any length is whole, in pieces, for whom it was asked', async () => {
  const { namespaces, 'next-page-token': next } = JSON.parse(await list('many'));
  expect(next).toBeNull();
  expect(namespaces).toHaveLength(count);
  expect(namespaces.at(-1)).toEqual(['many', nameOf(count - 1)]);
  expect(JSON.parse(await list('hidden')).error.type).toBe('NoSuchNamespaceException');
  expect(warnings).toEqual([]);
});
