import { existsSync } from 'node:fs';
import { mkdtemp, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import { PostgresServer } from '../environment/postgres.ts';
import { describeWith } from '../environment/tool.ts';
import { startObjectStore } from '../s3/seaweedfs.ts';
import { beyondTheSwitches, type KitRun, localPathTest, movedKit, publishedKit, runKit } from './compatibility-kit.ts';
import { expectOnPage } from './compatibility-page.ts';
import type { KitCase } from './kit-report.ts';
import { type KitOutcome, kitSummary } from './kit-summary.ts';
import { keyOf, RestServer, type RestServerOptions } from './rest-server.ts';

/** Where the kit makes tables, whatever the warehouse. */
const kitsOwnDirectories = ['/tmp/ns/tbl', '/tmp/newdb/newtable'];
/** As published, and with what no switch turns on. */
const wholeKit = [...publishedKit, ...beyondTheSwitches];
const published = {
  RESTCompatibilityKitCatalogTests: 'tables, as published',
  RESTCompatibilityKitViewCatalogTests: 'views, as published',
  NestedNamespaceCatalogTests: 'nested namespaces, slashes in names, locations used once',
};
const moved = {
  NestedNamespaceCatalogTests: 'tables, all that can be turned on, at locations on S3',
  LocatedViewCatalogTests: 'views, at locations on S3',
};
const wholeMarks = { passed: 147 + beyondTheSwitches.length, skipped: 10 };

describeWith(['java', 'mvn', 'python3'], "Iceberg's REST compatibility kit", () => {
  const outcomes: KitOutcome[] = [];
  const foreign = kitsOwnDirectories.filter((directory) => existsSync(directory));
  afterEach(async () => {
    for (const directory of kitsOwnDirectories) {
      if (foreign.includes(directory)) continue;
      await rm(directory, { recursive: true, force: true });
      await rmdir(join(directory, '..')).catch(() => undefined);
    }
  });
  afterAll(() => {
    if (outcomes.length === 3) expectOnPage('the compatibility kit', kitSummary(outcomes));
  });

  test('all of it passes on SQLite and local disk', async () => {
    const cases = await runOn({}, { tests: wholeKit });
    expect(failures(cases)).toEqual([]);
    expect(counts(cases)).toEqual(wholeMarks);
    outcomes.push({ where: 'SQLite, local disk', cases, suites: published, leftOut: {} });
  });

  test('all of it passes on Postgres and local disk', async () => {
    const postgres = await PostgresServer.start();
    try {
      const cases = await runOn({ catalog: postgres.uri(await postgres.createDatabase()) }, { tests: wholeKit });
      expect(failures(cases)).toEqual([]);
      expect(counts(cases)).toEqual(wholeMarks);
      outcomes.push({ where: 'Postgres, local disk', cases, suites: published, leftOut: {} });
    } finally {
      await postgres.stop();
    }
  });

  test('all of it passes on S3, with the keys that the server hands out, but for the test that moves a local file', async () => {
    const store = await startObjectStore();
    const place = `s3://${store.bucket}/scoped`;
    const credential = {
      prefix: `${place}/`,
      accessKeyId: 'scoped-writer',
      secretAccessKey: 'secret-of-scoped-writer',
      endpoint: store.environment.AWS_ENDPOINT_URL_S3,
      region: store.environment.AWS_REGION,
      pathStyle: true,
      for: 'write',
    };
    try {
      const cases = await runOn(
        {
          warehouse: `${place}/warehouse`,
          environment: {
            ...store.environment,
            ICECORE_STORAGE_CREDENTIALS: JSON.stringify([credential]),
            ICECORE_ALLOWED_LOCATIONS: `${place}/moved`,
          },
        },
        {
          tests: [...movedKit, `--exclude-methodname=.*#${localPathTest}.*`],
          properties: { 'kit.location': `${place}/moved`, 'header.X-Iceberg-Access-Delegation': 'vended-credentials' },
        },
      );
      expect(failures(cases)).toEqual([]);
      expect(counts(cases)).toEqual({ passed: 151, skipped: 5 });
      const leftOut = { [localPathTest]: 'moves a file of the table by `java.nio.file`, which knows local disks alone' };
      outcomes.push({ where: 'SQLite, S3', cases, suites: moved, leftOut });
    } finally {
      await store.stop();
    }
  });
});

async function runOn(
  options: RestServerOptions,
  { tests, properties = {} }: Pick<KitRun, 'tests'> & Partial<Pick<KitRun, 'properties'>>,
): Promise<readonly KitCase[]> {
  const environment = { ICECORE_ALLOWED_LOCATIONS: 'file:///tmp', ...options.environment };
  const server = await RestServer.start({ ...options, environment });
  try {
    return await runKit({
      uri: server.catalogUri,
      directory: await mkdtemp(join(server.directory, 'kit-')),
      tests,
      properties: { token: keyOf('keeper'), warehouse: 'main', ...properties },
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
