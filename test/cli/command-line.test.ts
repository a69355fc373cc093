import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Api } from '../../src/cli/api.ts';
import { parseFlags } from '../../src/cli/flags.ts';
import { listTables } from '../../src/cli/table-list.ts';
import { startTestServer, type TestServer } from '../http/test-server.ts';
import { fillLakehouse } from './small-lakehouse.ts';
import { type Listening, speak } from './spoken.ts';

const key = 'reader-0123456789';
const keys = JSON.stringify([
  { key, subject: 'rita', kind: 'HUMAN', roles: ['viewer'] },
  { key: 'writer-0123456789', subject: 'walt', kind: 'HUMAN', roles: ['scientist', 'admin'] },
]);

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ keys });
  await fillLakehouse(server, 'writer-0123456789');
});
afterAll(() => server.close());

const icecore = (args: readonly string[], listening: Listening = {}) =>
  speak(args, { ...listening, environment: { ICECORE_URL: server.origin, ICECORE_KEY: key, ...listening.environment } });

describe('icecore sql', () => {
  test('prints rows below each other, longs to the last digit, and the snapshots they are of', async () => {
    const { code, out, err } = await icecore(['sql', 'SELECT site, visitors, late FROM raw.visits ORDER BY seen']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out.replace(/in [\d.]+ m?s/, 'in 1 ms').replace(/snapshot \d+/, 'snapshot 1')).toBe(
      [
        'site               visitors  late',
        '─────────  ────────────────  ─────',
        '東京       9007199254740993  false',
        'Reykjavík              null  true',
        '2 rows in 1 ms',
        'read raw.visits at snapshot 1',
        '',
      ].join('\n'),
    );
  });

  test('dims a null, which is not the text "null"', async () => {
    const { out } = await icecore(['sql', "SELECT NULL AS a, 'null' AS b"], { width: 80, isStyled: true });
    expect(out).toContain('\u001b[2mnull\u001b[22m  null\n');
  });

  test('spells out what would draw on the terminal', async () => {
    const { out } = await icecore(['sql', "SELECT 'a' || chr(27) || '[2J' AS \"b\u001b\""]);
    expect(out.split('\n').slice(0, 3)).toEqual(['b\\u001b', '──────────', 'a\\u001b[2J']);
  });

  test('prints JSON lines without rounding, members in the order of the columns', async () => {
    const statement =
      'SELECT visitors AS "2", 0.1::DOUBLE AS "1", {a: visitors} AS __proto__, 1.5::FLOAT f FROM raw.visits ORDER BY seen';
    const { code, out } = await icecore(['sql', statement, '--json']);
    expect(code).toBe(0);
    expect(out).toBe(
      '{"2":"9007199254740993","1":0.1,"__proto__":{"a":"9007199254740993"},"f":1.5}\n{"2":null,"1":0.1,"__proto__":{"a":null},"f":1.5}\n',
    );
  });

  test('takes parameters as JSON, longs beyond 2^53 too', async () => {
    const statement = 'SELECT count(*) AS n FROM raw.visits WHERE site = ? AND visitors = ?';
    const count = async (visitors: string) =>
      JSON.parse((await icecore(['sql', statement, '--param', '"東京"', '--param', visitors, '--json'])).out).n;
    expect(await count('9007199254740993')).toBe('1');
    expect(await count('9007199254740992')).toBe('0');
  });

  test('reads the statement from its input, whatever the chunks', async () => {
    const bytes = Buffer.from("SELECT '東京' AS city\n");
    const input = Array.from(bytes, (byte) => Uint8Array.of(byte));
    expect((await icecore(['sql', '-', '--json'], { input })).out).toBe('{"city":"東京"}\n');
  });

  test('says when there are more rows than it shows', async () => {
    const statement = 'SELECT range FROM range(3000)';
    expect((await icecore(['sql', statement])).out).toMatch(/\nthe first 1,000 rows in [\d.]+ m?s; there are more: --max-rows/);
    const lines = await icecore(['sql', statement, '--json', '--max-rows', '2']);
    expect(lines).toMatchObject({ code: 0, out: '{"range":"0"}\n{"range":"1"}\n' });
    expect(lines.err).toBe('icecore: these are the first 2 rows; there are more: --max-rows.\n');
    expect((await icecore(['sql', 'SELECT 1 AS a WHERE false'])).out).toMatch(/^a\n─\nno rows in/);
  });

  test("passes on the API's refusals with their code", async () => {
    expect(await icecore(['sql', 'SELECT * FROM raw.visit'])).toEqual({
      code: 1,
      out: '',
      err: 'icecore: Table raw.visit does not exist. Did you mean raw.visits? (NOT_FOUND)\n',
    });
    const wrong = await icecore(['sql', 'SELECT 1'], { environment: { ICECORE_KEY: 'nobody' } });
    expect(wrong.code).toBe(1);
    expect(wrong.err).toMatch(/ICECORE_KEY or --key\. \(UNAUTHENTICATED\)\n$/);
    expect((await icecore(['sql', 'SELECT 1', '--key', key], { environment: { ICECORE_KEY: 'nobody' } })).code).toBe(0);
  });
});

describe('icecore tables', () => {
  test('lists tables with their rows', async () => {
    const { code, out } = await icecore(['tables', 'raw']);
    expect(code).toBe(0);
    expect(out.replace(/\d{4}-.*Z/, 'TODAY')).toBe(
      [
        'name        kind   rows  snapshots  last commit',
        '──────────  ─────  ────  ─────────  ────────────────────',
        'raw.visits  TABLE     2          1  TODAY',
        '1 table',
        '',
      ].join('\n'),
    );
    const features = await icecore(['tables', '--kind', 'features', '--json']);
    expect(JSON.parse(features.out)).toMatchObject({ name: 'features.sites', kind: 'FEATURES', snapshotCount: '1' });
    expect((await icecore(['tables', 'raw', '--kind', 'training-set'])).code).toBe(1);
  });

  test('follows the pages', async () => {
    const api = Api.of(parseFlags([], []), { ICECORE_URL: server.origin, ICECORE_KEY: key });
    const names = async (pageSize: number): Promise<readonly string[]> => {
      const found: string[] = [];
      for await (const { name } of listTables(api, { namespace: null, kind: null, pageSize })) found.push(name);
      return found;
    };
    const all = await names(200);
    expect(all.length).toBeGreaterThan(5);
    expect(await names(2)).toEqual(all);
  });

  test('shows one table whole', async () => {
    const { out } = await icecore(['tables', 'raw.visits']);
    expect(out).toMatch(/^raw\.visits {2}TABLE, Iceberg format v2, 2 rows\n/);
    expect(out).toMatch(/ 1 {2}site {6}string {7}no {4}Where\.\n/);
    expect(out).toMatch(/\npartitioned by {2}day\(seen\)\n/);
    expect(out).toMatch(/\nmain +BRANCH +\d+\n/);
    expect(out).toMatch(/ append +2/);
    expect((await icecore(['tables', 'features.sites'])).out).toMatch(
      /\nHow busy a site is\nentity keys site; event time event_time; time to live P2D\n/,
    );
    const page = JSON.parse((await icecore(['tables', 'raw.visits', '--json'])).out);
    expect(page).toMatchObject({ name: 'raw.visits', lastSnapshots: [{ operation: 'append' }], featureTable: null });
  });

  test('says what is not there', async () => {
    const { code, err } = await icecore(['tables', 'raw.nothing']);
    expect({ code, err }).toEqual({
      code: 1,
      err: 'icecore: There is neither a table nor a namespace with tables called raw.nothing: "icecore tables" lists what there is. (NOT_FOUND)\n',
    });
  });
});

describe('icecore lineage', () => {
  const anonymous = (text: string): string => text.replace(/(@|to )\d{5,}/g, '$1…').replace(/as of .*Z/, 'as of TODAY');

  test('draws what a model was made from', async () => {
    const { code, out } = await icecore(['lineage', 'model:late@1', '--upstream']);
    expect(code).toBe(0);
    expect(anonymous(out)).toMatch(/^model:late@1\nmade from\n└─ training:lateness@1\n/);
    for (const line of ['features.sites@…  by a TRAINING_SET run', 'raw.visits@…  by a MATERIALIZATION run']) {
      expect(anonymous(out)).toContain(line);
    }
    expect(out).toContain('feature:features.sites.mean_visitors\n');
    expect(out).not.toContain('not all');
  });

  test('takes every way of naming a thing', async () => {
    const root = async (...args: readonly string[]) => {
      const { out, err } = await icecore(['lineage', ...args, '--json']);
      expect(err).toBe('');
      return JSON.parse(out).root;
    };
    const table = await root('raw.visits');
    expect(table).toMatchObject({ kind: 'TABLE', name: 'raw.visits' });
    expect(await root(`raw.visits@${table.version}`)).toEqual(table);
    expect(await root('raw.visits@main')).toEqual(table);
    expect(await root(table.id)).toEqual(table);
    expect(await root('training:lateness')).toMatchObject({ kind: 'TRAINING_SET', version: '1' });
    expect(await root('model:late')).toMatchObject({ kind: 'MODEL_VERSION', name: 'late', version: null });
    expect(await root('feature-set:busyness@1')).toMatchObject({ kind: 'FEATURE_SET', version: '1' });
    expect(await root('feature:features.sites.mean_visitors')).toMatchObject({ kind: 'FEATURE' });
  });

  test('draws what was made from a snapshot, and says where it stopped', async () => {
    const all = await icecore(['lineage', 'raw.visits', '--downstream']);
    expect(anonymous(all.out)).toMatch(/^raw\.visits@…\nwhat was made from it\n/);
    expect(all.out).toContain('model:late@1');
    const some = await icecore(['lineage', 'raw.visits', '--downstream', '--depth', '1']);
    expect(some.code).toBe(0);
    expect(some.out).not.toContain('model:late@1');
    expect(some.out).toMatch(/\nThis is not all of it:\n- maxDepth 1 was reached/);
  });

  test('says what there is not', async () => {
    expect(await icecore(['lineage', 'training:nope'])).toMatchObject({
      code: 1,
      err: 'icecore: There is no training:nope. (NOT_FOUND)\n',
    });
    expect(await icecore(['lineage', 'model:late@champion'])).toMatchObject({ code: 1 });
    expect(await icecore(['lineage', 'not-an-id'])).toMatchObject({ code: 1, err: expect.stringContaining('(BAD_USER_INPUT)') });
    expect(await icecore(['lineage', 'shoe:raw.visits'])).toMatchObject({ code: 2 });
    expect(await icecore(['lineage', 'training:lateness@first'])).toMatchObject({ code: 2 });
  });
});

describe('a command line that is not understood', () => {
  test.each([
    [['sqll', 'SELECT 1'], 'There is no command "sqll"; there is: serve, sql, tables, lineage, feed, help.'],
    [['sql'], 'Give a SELECT, in quotes, or - to read it from the input.'],
    [['sql', 'SELECT', '1'], 'Put the statement in quotes: "SELECT 1".'],
    [['sql', 'SELECT 1', '--row', '3'], 'There is no flag --row; there is: --param, --max-rows, --json, --url, --key.'],
    [['sql', 'SELECT 1', '-j'], 'There is no flag -j; there is: --param, --max-rows, --json, --url, --key.'],
    [['sql', 'SELECT 1', '--max-rows', 'many'], '--max-rows takes a whole number from 0 to 100000, not "many".'],
    [['sql', 'SELECT 1', '--max-rows'], '--max-rows needs a value: --max-rows N.'],
    [['sql', 'SELECT 1', '--json=1'], '--json takes no value.'],
    [['sql', 'SELECT 1', '--url', 'a', '--url', 'b'], '--url is given twice.'],
    [['sql', 'SELECT ?', '--param', 'ATL'], `--param takes JSON, and ATL is none; a text is '"ATL"'.`],
    [
      ['sql', 'SELECT 1', '--url', 'localhost:4000'],
      '"localhost:4000" is no address of a server: write one such as http://127.0.0.1:4000.',
    ],
    [['tables', '--kind', 'views'], 'There is no kind "views"; there is: table, features, training-set, predictions, system.'],
    [['lineage'], 'Give one thing, such as raw.flights, training:late_departures@1 or model:flight-late@1.'],
  ])('%j', async (args, message) => {
    expect(await speak(args)).toEqual({ code: 2, out: '', err: `icecore: ${message}\n` });
  });
});

describe('help', () => {
  test.each([['help'], ['--help'], ['-h']])('%s lists the commands', async (word) => {
    const { code, out } = await speak([word]);
    expect(code).toBe(0);
    for (const command of ['serve', 'sql', 'tables', 'lineage', 'feed']) expect(out).toContain(`icecore ${command} `);
  });

  test.each(['serve', 'sql', 'tables', 'lineage', 'feed'])('of %s comes by both ways', async (command) => {
    const asked = await speak(['help', command]);
    expect(asked.out).toContain(`icecore ${command}`);
    expect(await speak([command, '--help'])).toEqual(asked);
    expect(asked.out.split('\n').filter((line) => line.length > 130)).toEqual([]);
  });
});

describe('where there is no Icecore', () => {
  test('a line says how to start it', async () => {
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    expect(await speak(['tables', '--url', `http://127.0.0.1:${port}`])).toEqual({
      code: 1,
      out: '',
      err: `icecore: Cannot reach Icecore at http://127.0.0.1:${port} (ECONNREFUSED): start it with "icecore serve", or say where it is with --url or ICECORE_URL.\n`,
    });
  });

  test('an answer that breaks off is none', async () => {
    const broken = createServer((req, res) => {
      res.writeHead(200, { 'content-length': 1000 }).write('{"data":');
      req.resume().once('end', () => res.destroy());
    });
    await new Promise<void>((resolve) => broken.listen(0, '127.0.0.1', resolve));
    const { port } = broken.address() as AddressInfo;
    const { code, err } = await speak(['tables', '--url', `http://127.0.0.1:${port}`]);
    expect(code).toBe(1);
    expect(err).toMatch(/(broke off in the middle of its answer|Cannot reach).*\(ECONNRESET\)/);
    await new Promise((resolve) => broken.close(resolve));
  });

  test('another server is told from it, and gets no key by a redirect', async () => {
    const asked: (string | undefined)[] = [];
    const other = createServer((req, res) => {
      asked.push(req.url);
      if (req.url === '/graphql') res.writeHead(307, { location: '/elsewhere' }).end();
      else res.end('<html>');
    });
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    const at = (path: string) => speak(['tables', '--key', 'secret', '--url', `http://127.0.0.1:${port}${path}`]);
    expect((await at('/')).err).toContain(`http://127.0.0.1:${port}/graphql is not Icecore (HTTP 307)`);
    expect((await at('/lake/graphql')).err).toContain(`/lake/graphql is not Icecore (HTTP 200)`);
    expect(asked).toEqual(['/graphql', '/lake/graphql']);
    await new Promise((resolve) => other.close(resolve));
  });
});
