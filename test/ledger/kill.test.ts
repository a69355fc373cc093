import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { auditLog } from '../../src/audit/audit-entry.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import type { LedgerRow, LedgerTable } from '../../src/ledger/ledger-table.ts';
import { type Note, noteLog, notes } from './notes-table.ts';
import { openStoreServer } from './store-server.ts';

const script = fileURLToPath(new URL('./committing-server.ts', import.meta.url));

/** Starts a server, kills it with -9 after so many acknowledgements, and gives those. */
async function killedAfter(directory: string, name: string, acknowledgements: number): Promise<readonly string[]> {
  const server = spawn(process.execPath, [script, directory, name], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ids: string[] = [];
  for await (const line of createInterface({ input: server.stdout })) {
    ids.push(line);
    if (ids.length === acknowledgements) server.kill('SIGKILL');
  }
  if (server.exitCode === null && server.signalCode === null) await once(server, 'exit');
  expect(ids.length).toBeGreaterThanOrEqual(acknowledgements);
  return ids;
}

async function recordedRows<Row extends LedgerRow>(ledger: Ledger, table: LedgerTable<Row>): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for await (const batch of ledger.recorded(table)) rows.push(...batch.map(({ row }) => row));
  return rows;
}

test('killed at any moment, with another server beside it: what was acknowledged is there once, and the chain holds', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'icecore-kill-'));
  const acknowledged: string[] = [];
  // Two at a time, so that one goes on, and takes over the lease, where the other was killed in the middle of moving entries.
  for (const [round, moments] of [
    [17, 90],
    [41, 200],
  ].entries()) {
    const ids = await Promise.all(moments.map((moment, server) => killedAfter(directory, `${round}${server}`, moment)));
    acknowledged.push(...ids.flat());
  }
  const server = await openStoreServer(directory, 'fresh', null);
  try {
    await server.ledger.flush();
    expect(await server.catalog.pendingTables()).toEqual([]);
    const log = await recordedRows(server.ledger, noteLog);
    const ids = log.map((row) => row.id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(acknowledged.filter((id) => !ids.includes(id))).toEqual([]);
    // At most the one commit of each killed server whose answer did not come out.
    expect(ids.length - acknowledged.length).toBeLessThanOrEqual(4);
    const newest: readonly Note[] = await recordedRows(server.ledger, notes);
    expect(newest).toHaveLength(5);
    expect(await recordedRows(server.ledger, auditLog)).toHaveLength(ids.length);
    expect(await server.audit.verify()).toMatchObject({ consistent: true, headSeq: BigInt(ids.length) });
    expect(await server.ledger.count(noteLog)).toBe(BigInt(ids.length));
  } finally {
    await server.close();
    await rm(directory, { recursive: true, force: true });
  }
});
