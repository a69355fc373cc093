import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pythonEnvironment } from '../environment/python.ts';
import { describeWith } from '../environment/tool.ts';
import { ServerProcess } from '../http/server-process.ts';
import { isOf, readmeExamples, readmeRows, readmeTable } from '../python/readme-examples.ts';
import { pythonPath } from './training-lake.ts';

describeWith(['python3'], 'The examples of python/README.md for PyTorch', () => {
  let python: string;
  let server: ServerProcess;
  let folder: string;
  beforeAll(async () => {
    python = pythonEnvironment(new URL('../python/torch.lock', import.meta.url).pathname);
    folder = await mkdtemp(join(tmpdir(), 'icecore-torch-readme-'));
    server = await ServerProcess.start();
    await server.data('mutation ($input: CreateTableInput!) { createTable(input: $input) { table { name } } }', {
      input: readmeTable,
    });
    await server.data('mutation ($input: WriteRowsInput!) { writeRows(input: $input) { rowsAdded } }', {
      input: { table: readmeTable.name, mode: 'APPEND', rows: { sql: readmeRows } },
    });
  });
  afterAll(async () => {
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test('run', async () => {
    const examples = readmeExamples().filter((example) => isOf('torch', example));
    expect(examples.length).toBeGreaterThan(1);
    const program = join(folder, 'examples.py');
    await writeFile(program, [...examples, 'print(len(dataset))'].join('\n'));
    const env = { ...process.env, PYTHONPATH: pythonPath, PYTHONDONTWRITEBYTECODE: '1', ICECORE_URL: server.origin };
    expect((await promisify(execFile)(python, [program], { env })).stdout).toBe('20\n');
  });
});
