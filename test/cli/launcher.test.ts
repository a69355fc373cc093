import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../http/test-server.ts';

const launcher = join(import.meta.dirname, '../../bin/icecore.js');

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

/** `readBytes`: the reader leaves after so many, as `head` does. */
async function launch(args: readonly string[], { input = '', readBytes = Number.POSITIVE_INFINITY } = {}) {
  const env = { ...process.env, ICECORE_URL: server.origin, ICECORE_KEY: '' };
  const child = spawn(process.execPath, [launcher, ...args], { env, stdio: ['pipe', 'pipe', 'pipe'] });
  const said = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said.out += text;
    if (said.out.length >= readBytes) child.stdout.destroy();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said.err += text;
  });
  child.stdin.end(input);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...said };
}

test('the launcher runs a command to its exit code', async () => {
  expect(await launch(['sql', '-', '--json'], { input: 'SELECT 9007199254740993::BIGINT AS n' })).toEqual({
    code: 0,
    out: '{"n":"9007199254740993"}\n',
    err: '',
  });
  expect(await launch(['sql', 'SELECT * FROM no.table'])).toMatchObject({ code: 1, err: expect.stringContaining('(NOT_FOUND)') });
  expect(await launch(['sql', 'SELECT 1', '--url', 'http://127.0.0.1:9'])).toMatchObject({ code: 1, out: '' });
});

test('what it does not understand ends with 2, serve too', async () => {
  expect(await launch(['nothing'])).toMatchObject({
    code: 2,
    err: expect.stringMatching(/^icecore: There is no command "nothing"/),
  });
  expect(await launch(['serve', '--nothing'])).toMatchObject({
    code: 2,
    err: expect.stringMatching(/^Unknown option '--nothing'/),
  });
  expect(await launch(['serve', '--help'])).toMatchObject({ code: 0, out: expect.stringContaining('icecore serve [flags]') });
});

test('a reader that leaves early is no failure', async () => {
  const statement = "SELECT repeat('x', 1000) AS x FROM range(20000)";
  const left = await launch(['sql', statement, '--json', '--max-rows', '20000'], { readBytes: 10 });
  expect(left).toMatchObject({ code: 0, err: '' });
});
