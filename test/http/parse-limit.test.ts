import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { queryTokensMax } from '../../src/limits.ts';
import { startTestServer, type TestServer } from './test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

test('a document that is nested too deeply is refused, not an error of the server', async () => {
  const nested = `${'['.repeat(50_000)}${']'.repeat(50_000)}`.slice(0, queryTokensMax - 100);
  const { errors } = await server.ask(`{ sql(statement: "SELECT 1", parameters: ${nested}) { rows } }`);
  expect(errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT');
});

test('a document of very many tokens is refused before it is parsed whole', async () => {
  const fields = Array.from({ length: queryTokensMax }, (_, index) => `a${index}: __typename`);
  const { status, errors } = await server.ask(`{ ${fields.join(' ')} }`);
  expect(status).toBe(400);
  expect(errors).toHaveLength(1);
  expect(errors?.[0]?.extensions.code).toBe('COST_EXCEEDED');
  expect(errors?.[0]?.message).toContain('variables');
});

test('other errors of syntax stay what they are', async () => {
  const { errors } = await server.ask('{ sql( }');
  expect(errors?.[0]?.message).toContain('Syntax Error');
  expect(errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT');
});

test('an address that is none is refused', async () => {
  const socket = connect(Number(new URL(server.origin).port), '127.0.0.1');
  socket.write('GET // HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(socket, 'close');
  const answer = Buffer.concat(chunks).toString();
  expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  expect(answer).toContain('BAD_USER_INPUT');
});
