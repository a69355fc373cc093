import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWith } from '../environment/tool.ts';
import { ServerProcess } from '../http/server-process.ts';
import { icecorePython, printed } from './python-reader.ts';
import { isPlain, readmeExamples, readmeRows, readmeTable } from './readme-examples.ts';

describeWith(['python3'], 'The examples of python/README.md', () => {
  let server: ServerProcess;
  let folder: string;
  beforeAll(async () => {
    icecorePython();
    folder = await mkdtemp(join(tmpdir(), 'icecore-readme-'));
    server = await ServerProcess.start();
    await server.data('mutation ($input: CreateTableInput!) { createTable(input: $input) { table { name } } }', {
      input: readmeTable,
    });
    await server.data('mutation ($input: WriteRowsInput!) { writeRows(input: $input) { rowsAdded } }', {
      input: { table: readmeTable.name, mode: 'APPEND', rows: { sql: readmeRows } },
    });
  }, 300_000);
  afterAll(async () => {
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('run', async () => {
    const examples = readmeExamples().filter(isPlain);
    expect(examples.length).toBeGreaterThan(3);
    const program = join(folder, 'examples.py');
    await writeFile(program, examples.join('\n'));
    expect(await printed([program], { ICECORE_URL: server.origin })).toBe("20000 ['distance', 'late_share', 'late']\n");
  });
});
