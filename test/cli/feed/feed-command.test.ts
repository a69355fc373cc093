import { execFileSync } from 'node:child_process';
import { access, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tableFromIPC } from 'apache-arrow';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { pythonEnvironment } from '../../environment/python.ts';
import { describeWith } from '../../environment/tool.ts';
import { startTestServer, type TestServer } from '../../http/test-server.ts';
import { type Cut, CuttingProxy } from '../../python/cutting-proxy.ts';
import { PoliteProxy } from '../../python/polite-proxy.ts';
import { type Listening, speak } from '../spoken.ts';

const rowCount = 3000;
const table = 'raw.rows';
let server: TestServer;
let folder: string;

beforeAll(async () => {
  server = await startTestServer();
  const ask = async (query: string, input: object) => {
    const { errors } = await server.ask(query, { input });
    expect(errors).toBeUndefined();
  };
  await ask('mutation ($input: CreateTableInput!) { createTable(input: $input) { table { id } } }', {
    name: table,
    columns: [
      { name: 'n', type: 'long', required: true },
      { name: 'a, "b"', type: 'string' },
      { name: 'share', type: 'double' },
      { name: 'tags', type: 'list<string>' },
    ],
  });
  const sql = `SELECT range AS n, CASE WHEN range % 3 = 0 THEN NULL ELSE 'row ' || range END AS "a, ""b""", range / 7 AS share,
    [CAST(range AS VARCHAR), NULL] AS tags FROM range(${rowCount})`;
  const write = 'mutation ($input: WriteRowsInput!) { writeRows(input: $input) { rowsAdded } }';
  await ask(write, { table, rows: { sql }, mode: 'APPEND' });
});
afterAll(() => server.close());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'icecore-cli-feed-'));
});
afterEach(() => rm(folder, { recursive: true }));

const out = (name = 'rows.arrow') => join(folder, name);
const feed = (args: readonly string[], { origin = server.origin, ...listening }: Listening & { readonly origin?: string } = {}) =>
  speak(['feed', ...args], { ...listening, environment: { ICECORE_URL: origin } });
const asked = ['--table', table, '--batch-size', '100', '--seed', '42'];

/** The whole numbers of the column n, in the file's order. */
async function numbers(path = out()): Promise<readonly number[]> {
  const column = tableFromIPC(await readFile(path)).getChild('n');
  return Array.from(column ?? [], Number);
}

const inOrder = Array.from({ length: rowCount }, (_, index) => index);
const ascending = (values: readonly number[]) => values.toSorted((a, b) => a - b);
const port = (origin: string) => Number(new URL(origin).port);

describe('icecore feed', () => {
  test('writes every row once, shuffled or as it stands, and says what it did', async () => {
    const { code, out: said, err } = await feed([...asked, '--out', out()]);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(said).toMatch(
      /^3,000 rows, [\d,]+ bytes in \S+rows\.arrow after [\d.]+ m?s, [\d,]+ rows\/s\nread at snapshot \d+\nhere: waiting \d+ %, writing \d+ %; server: (\w+ \d+ %(, |\n)){3,}$/,
    );
    expect(await readdir(folder)).toEqual(['rows.arrow']);
    const shuffled = await numbers();
    expect(ascending(shuffled)).toEqual(inOrder);
    expect(shuffled).not.toEqual(inOrder);
    expect((await feed(['--table', table, '--shuffle', 'none', '--out', out('plain.arrows')])).code).toBe(0);
    expect(await numbers(out('plain.arrows'))).toEqual(inOrder);
  });

  test('hands on what the flags say', async () => {
    const flags = ['--columns', '"a, ""b""", n', '--where', 'n < 50', '--shuffle', 'none', '--rank', '1', '--world-size', '2'];
    const { code, err } = await feed([
      '--table',
      `${table}@main`,
      '--batch-size',
      '10',
      '--tail',
      'drop',
      ...flags,
      '--out',
      out(),
    ]);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const read = tableFromIPC(await readFile(out()));
    expect(read.schema.fields.map((field) => field.name)).toEqual(['a, "b"', 'n']);
    expect(await numbers()).toEqual([...inOrder.slice(10, 20), ...inOrder.slice(30, 40)]);
  });

  test('goes on behind the last batch when the connection breaks, and is the same file', async () => {
    await feed([...asked, '--out', out('whole.arrow')]);
    const cuts: readonly Cut[] = [{ afterBytes: 3000 }, { afterBytes: 9000 }, { afterBytes: 0 }, { afterBytes: 40_000 }];
    const proxy = await CuttingProxy.start(port(server.origin), (connection) => cuts[connection] ?? null);
    try {
      const { code, out: said, err } = await feed([...asked, '--out', out()], { origin: proxy.origin });
      expect(code).toBe(0);
      expect(said).toMatch(/^3,000 rows,/);
      expect(err.match(/broke off|Cannot reach/g)).toHaveLength(4);
      expect(err).toMatch(/ask again\. Trying again in \d+ ms\.\n/);
      expect(proxy.connections).toBe(5);
    } finally {
      await proxy.stop();
    }
    expect(await numbers()).toEqual(await numbers(out('whole.arrow')));
  });

  test('takes no stream for whole that ends without its last batch', async () => {
    const proxy = await PoliteProxy.start(server.origin, [20_000, 30_000]);
    try {
      const { code, err } = await feed([...asked, '--out', out()], { origin: proxy.origin });
      expect(code).toBe(0);
      expect(err).toMatch(/(before the batch that is marked as its last|in the middle of a batch)/);
      expect(proxy.answers).toBe(3);
    } finally {
      await proxy.stop();
    }
    expect(ascending(await numbers())).toEqual(inOrder);
  });

  test.each([0.1, 0.5, 0.9])('another process goes on with what one has left behind, cut at %f of it', async (share) => {
    await feed([...asked, '--out', out('whole.arrow')]);
    const whole = await readFile(out('whole.arrow'));
    await writeFile(out('rows.arrow.partial'), whole);
    await truncate(out('rows.arrow.partial'), Math.floor(whole.length * share));
    await writeFile(
      out('rows.arrow.partial.json'),
      JSON.stringify({ query: { source: { table: { name: table } }, seed: '42', batchSize: 100 } }),
    );
    const other = await feed(['--table', table, '--out', out(), '--resume']);
    expect(other.code).toBe(1);
    expect(other.err).toMatch(/^icecore: The earlier try asked for something else, \{.*\}: leave those flags out\.\n$/);
    expect((await feed([...asked, '--out', out()])).err).toMatch(/An earlier try has left \S+: --resume goes on with it/);
    const { code, err } = await feed(['--resume', '--out', out()]);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(await numbers()).toEqual(await numbers(out('whole.arrow')));
    expect((await readdir(folder)).toSorted()).toEqual(['rows.arrow', 'whole.arrow']);
  });

  test('keeps what came when the server is gone for good, and says so', async () => {
    const refusing = await CuttingProxy.start(port(server.origin), () => ({ afterBytes: 0 }));
    const { code, err } = await feed([...asked, '--out', out()], { origin: refusing.origin });
    await refusing.stop();
    expect(code).toBe(1);
    expect(err).toMatch(/Cannot reach/);
    expect(await readdir(folder)).toEqual([]);
  });

  test('leaves nothing where the server refuses', async () => {
    const { code, err } = await feed(['--table', 'raw.row', '--out', out()]);
    expect({ code, err }).toEqual({
      code: 1,
      err: 'icecore: Table raw.row does not exist. Did you mean raw.rows? (NOT_FOUND)\n',
    });
    expect(await readdir(folder)).toEqual([]);
  });

  test('replaces a file only when told to', async () => {
    await writeFile(out(), 'mine');
    expect(await feed([...asked, '--out', out()])).toMatchObject({
      code: 1,
      err: `icecore: ${out()} is there already: --overwrite replaces it.\n`,
    });
    expect(await readFile(out(), 'utf8')).toBe('mine');
    expect((await feed([...asked, '--out', out(), '--overwrite'])).code).toBe(0);
    expect(await numbers()).toHaveLength(rowCount);
    expect((await feed([...asked, '--out', join(folder, 'no', 'rows.arrow')])).err).toMatch(/cannot be written: ENOENT/);
    expect((await feed(['--resume', '--out', out('none.arrow')])).err).toMatch(
      /There is no \S+ to go on with: leave --resume out/,
    );
  });

  test('writes nothing for a table without rows but its columns', async () => {
    expect((await feed(['--table', table, '--where', 'n < 0', '--out', out()])).code).toBe(0);
    expect(await numbers()).toEqual([]);
    expect(tableFromIPC(await readFile(out())).schema.fields).toHaveLength(4);
  });

  test('draws a bar on a terminal and takes it away', async () => {
    const { out: said } = await feed([...asked, '--out', out()], { width: 80, isStyled: true });
    const [before, first, ...others] = said.split('\r\u001b[K');
    expect(before).toBe('');
    expect(first).toMatch(/^ {2}\d % {2}[█░]+ {2}[\d,]+ of 3,000 rows$/);
    expect(others.at(-1)).toMatch(/^3,000 rows, /);
  });

  test.each([
    [['--out', 'rows.arrow'], 'Give either --training-set or --table.'],
    [['--table', 'a', '--training-set', 'b', '--out', 'rows.arrow'], 'Give either --training-set or --table.'],
    [['--table', 'a'], 'Give --out, a name that ends in .arrow, .arrows or .parquet.'],
    [['raw.rows', '--out', 'rows.arrow'], '"raw.rows" is no flag: give --training-set raw.rows or --table raw.rows.'],
    [
      ['--table', 'a', '--version', '1', '--out', 'a.arrow'],
      "--version is of a training set; a table's snapshot is named behind an @, as in --table a@main.",
    ],
    [['--table', 'a', '--shuffle', 'all', '--out', 'a.arrow'], '--shuffle takes none, windowed or full, not "all".'],
    [
      ['--table', 'a', '--seed', '9223372036854775808', '--out', 'a.arrow'],
      '--seed takes a whole number of at most 64 bits, not "9223372036854775808".',
    ],
    [['--table', 'a', '--lanes', '65', '--out', 'a.arrow'], '--lanes takes a whole number from 1 to 64, not "65".'],
    [['--table', 'a', '--columns', 'a,"b', '--out', 'a.arrow'], '--columns takes names apart by commas, not "a,"b".'],
    [
      ['--table', 'a', '--resume', '--overwrite', '--out', 'a.arrow'],
      '--resume goes on, and --overwrite begins anew: give one of them.',
    ],
  ])('does not understand %j', async (args, message) => {
    expect(await speak(['feed', ...args])).toEqual({ code: 2, out: '', err: `icecore: ${message}\n` });
    await expect(access('rows.arrow')).rejects.toThrow(/ENOENT/);
  });
});

describeWith(['python3'], "icecore feed's files", () => {
  test('are read by pyarrow as Arrow files and streams', async () => {
    await feed([...asked, '--out', out()]);
    await feed([...asked, '--out', out('rows.arrows')]);
    const program = `
import sys, pyarrow as pa, pyarrow.feather as feather
file, stream = pa.ipc.open_file(sys.argv[1]).read_all(), pa.ipc.open_stream(sys.argv[2]).read_all()
file.validate(full=True)
assert file.equals(stream) and file.equals(feather.read_table(sys.argv[1]))
print(file.num_rows, file.column_names, pa.ipc.open_file(sys.argv[1]).num_record_batches, sum(file["n"].to_pylist()))
print(file.slice(0, 1).to_pylist()[0]["tags"][1], sorted(k.decode() for k in file.schema.metadata)[0])`;
    const python = pythonEnvironment(join(import.meta.dirname, '../../python/arrow.lock'));
    const said = execFileSync(python, ['-c', program, out(), out('rows.arrows')], { encoding: 'utf8' });
    expect(said).toBe(`3000 ['n', 'a, "b"', 'share', 'tags'] 30 ${(rowCount * (rowCount - 1)) / 2}\nNone icecore.epoch\n`);
  });
});
