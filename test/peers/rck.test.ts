import { existsSync } from 'node:fs';
import { mkdtemp, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import { describeWith } from '../environment/tool.ts';
import { beyondTheSwitches, publishedKit, runKit } from './compatibility-kit.ts';
import { expectOnPage } from './compatibility-page.ts';
import type { KitCase } from './kit-report.ts';
import { kitSummary } from './kit-summary.ts';
import { keyOf, RestServer, type RestServerOptions } from './rest-server.ts';

/** Where the kit makes tables, whatever the warehouse. */
const kitsOwnDirectories = ['/tmp/ns/tbl', '/tmp/newdb/newtable'];

describeWith(['java', 'mvn'], "Iceberg's REST compatibility kit", () => {
  const reports = new Map<string, readonly KitCase[]>();
  const foreign = kitsOwnDirectories.filter((directory) => existsSync(directory));
  afterEach(async () => {
    for (const directory of kitsOwnDirectories) {
      if (foreign.includes(directory)) continue;
      await rm(directory, { recursive: true, force: true });
      await rmdir(join(directory, '..')).catch(() => undefined);
    }
  });
  afterAll(() => {
    if (reports.size === 1) expectOnPage('the compatibility kit', kitSummary(reports));
  });

  test('all of it passes on SQLite and local disk', async () => {
    const cases = await runOn({});
    expect(failures(cases)).toEqual([]);
    expect(counts(cases)).toEqual({ passed: 147 + beyondTheSwitches.length, skipped: 10 });
    reports.set('SQLite, local disk', cases);
  });
});

async function runOn(options: RestServerOptions): Promise<readonly KitCase[]> {
  const environment = { ICECORE_ALLOWED_LOCATIONS: 'file:///tmp', ...options.environment };
  const server = await RestServer.start({ ...options, environment });
  const directory = await mkdtemp(join(server.directory, 'kit-'));
  try {
    return await runKit({
      uri: server.catalogUri,
      directory,
      tests: [...publishedKit, ...beyondTheSwitches],
      properties: { token: keyOf('keeper'), warehouse: 'main' },
    });
  } finally {
    await server.stop();
  }
}

function failures(cases: readonly KitCase[]): readonly string[] {
  return cases.filter(({ outcome }) => outcome === 'failed').map(({ suite, name, reason }) => `${suite}.${name}: ${reason}`);
}

function counts(cases: readonly KitCase[]): { readonly passed: number; readonly skipped: number } {
  const count = (wanted: KitCase['outcome']) => cases.filter(({ outcome }) => outcome === wanted).length;
  return { passed: count('passed'), skipped: count('skipped') };
}
