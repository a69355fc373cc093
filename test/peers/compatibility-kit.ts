import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { icebergKitClasspath } from '../environment/iceberg-kit.ts';
import { type KitCase, readKitReport } from './kit-report.ts';

const kit = 'org.apache.iceberg.rest';
const ours = `${kit}.NestedNamespaceCatalogTests`;
const switchedOn = [
  'testListNestedNamespaces',
  'testDropNamespaceWithNestedNamespace',
  'testNamespaceWithSlash',
  'testTableNameWithSlash',
  'createTableInUniqueLocation',
];

/** The kit's two classes as they are published. */
export const publishedKit = [
  `--select-class=${kit}.RESTCompatibilityKitCatalogTests`,
  `--select-class=${kit}.RESTCompatibilityKitViewCatalogTests`,
];
/** What the kit has tests for and no switch to turn on. */
export const beyondTheSwitches = switchedOn.map((method) => `--select-method=${ours}#${method}`);
/** The whole kit with everything turned on and its tables and views where `kit.location` says. */
export const movedKit = [`--select-class=${ours}`, `--select-class=${kit}.LocatedViewCatalogTests`];

/** It moves a table's metadata file away by means of the local file system, wherever the table is. */
export const localPathTest = 'testLoadTableWithMissingMetadataFile';

export interface KitRun {
  /** Of the REST catalog, which begins empty. */
  readonly uri: string;
  /** The kit's report and its temporary files go there. */
  readonly directory: string;
  readonly tests: readonly string[];
  /** Of the client's catalog and of the kit, beside the usual ones. */
  readonly properties: Readonly<Record<string, string>>;
}

/** Runs tests of the compatibility kit against a catalog, with names with dots on, and gives what became of each. */
export async function runKit(run: KitRun): Promise<readonly KitCase[]> {
  const properties = {
    'rck.local': 'false',
    'rck.requires-namespace-create': 'true',
    'rck.supports-names-with-dot': 'true',
    'java.io.tmpdir': run.directory,
    'org.slf4j.simpleLogger.defaultLogLevel': 'error',
    uri: run.uri,
    ...run.properties,
  };
  const child = spawn(
    'java',
    [
      '-Xmx1g',
      ...Object.entries(properties).map(([name, value]) => `-D${name}=${value}`),
      ...['-cp', icebergKitClasspath(), 'org.junit.platform.console.ConsoleLauncher', 'execute'],
      ...['--details=none', '--disable-banner', `--reports-dir=${run.directory}`],
      // Ours come first: they leave no namespaces behind.
      '--config=junit.jupiter.testclass.order.default=org.junit.jupiter.api.ClassOrderer$ClassName',
      ...run.tests,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let complaints = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      complaints = (complaints + text).slice(-8000);
    });
  }
  const stop = () => child.kill('SIGKILL');
  process.once('exit', stop);
  // 1: tests failed, which the report tells.
  const [code] = await once(child, 'close');
  process.off('exit', stop);
  if (code !== 0 && code !== 1) throw new Error(`the compatibility kit ended with ${code}: ${complaints}`);
  return readKitReport(readFileSync(join(run.directory, 'TEST-junit-jupiter.xml'), 'utf8'));
}
