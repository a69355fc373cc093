import { Agent, request } from 'node:http';
import { availableParallelism } from 'node:os';
import { expect, test } from 'vitest';
import { ServerProcess } from '../http/server-process.ts';

const clients = 200;
const tables = 20;
const runMs = 60_000;

interface Answer {
  readonly status: number;
  readonly text: string;
}

interface Figures {
  readonly millis: number[];
  readonly statuses: Map<string, number>;
}

/**
 * Two hundred clients of the REST catalog, nine loads to a commit, for a minute: what came of it is reported, and every acknowledged commit has to
 * be in its table, once.
 */
test('two hundred clients load and commit for a minute', { timeout: 10 * runMs }, async () => {
  const server = await ServerProcess.start();
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const base = `${server.origin}/iceberg/v1/namespaces`;
  const send = (method: string, url: string, body?: unknown): Promise<Answer> => exchange(agent, method, url, body);
  const figures = { load: newFigures(), commit: newFigures() };
  const acknowledged = new Map<number, Set<string>>(Array.from({ length: tables }, (_, index) => [index, new Set<string>()]));
  try {
    await send('POST', base, { namespace: ['soak'] });
    for (let index = 0; index < tables; index++) {
      const schema = { type: 'struct', fields: [{ id: 1, name: 'id', type: 'long', required: false }] };
      const made = await send('POST', `${base}/soak/tables`, { name: `t${index}`, schema });
      expect(made.status, made.text).toBe(200);
    }
    const endMs = Date.now() + runMs;
    const peak = { bytes: 0 };
    const client = async (number: number): Promise<void> => {
      for (let turn = 0; Date.now() < endMs; turn++) {
        const index = (number * 7 + turn) % tables;
        const url = `${base}/soak/tables/t${index}`;
        const startMs = performance.now();
        if ((number + turn) % 10 !== 0) {
          note(figures.load, startMs, await send('GET', url));
          continue;
        }
        const key = `k-${number}-${turn}`;
        const updates = [{ action: 'set-properties', updates: { [key]: 'set' } }];
        const answer = await send('POST', url, { requirements: [], updates });
        note(figures.commit, startMs, answer);
        if (answer.status === 200) acknowledged.get(index)?.add(key);
        peak.bytes = Math.max(peak.bytes, server.memory().residentBytes);
      }
    };
    await Promise.all(Array.from({ length: clients }, (_, number) => client(number)));
    report('loads', figures.load);
    report('commits', figures.commit);
    console.log(
      `memory at most ${Math.round(peak.bytes / 1_048_576)} MiB, on ${availableParallelism()} cores with the clients on them too`,
    );
    for (const [index, keys] of acknowledged) {
      const { text } = await send('GET', `${base}/soak/tables/t${index}`);
      const { properties } = (JSON.parse(text) as { readonly metadata: { readonly properties: Record<string, string> } })
        .metadata;
      const kept = new Set(Object.keys(properties).filter((name) => name.startsWith('k-')));
      expect([...keys].filter((key) => !kept.has(key))).toEqual([]);
    }
    const failed = [...figures.load.statuses, ...figures.commit.statuses].filter(([status]) => status.startsWith('5'));
    expect(failed.filter(([status]) => status !== '503')).toEqual([]);
    expect(figures.commit.millis.length).toBeGreaterThan(clients);
  } finally {
    agent.destroy();
    await server.stop();
  }
});

function newFigures(): Figures {
  return { millis: [], statuses: new Map() };
}

function note({ millis, statuses }: Figures, startMs: number, { status }: Answer): void {
  millis.push(performance.now() - startMs);
  statuses.set(String(status), (statuses.get(String(status)) ?? 0) + 1);
}

function report(what: string, { millis, statuses }: Figures): void {
  const sorted = millis.toSorted((a, b) => a - b);
  const at = (share: number): string => `${(sorted[Math.floor(sorted.length * share)] ?? Number.NaN).toFixed(1)} ms`;
  const answers = [...statuses].map(([status, count]) => `${count} with ${status}`).join(', ');
  console.log(
    `${what}: ${Math.round((millis.length / runMs) * 1000)}/s, median ${at(0.5)}, p99 ${at(0.99)}, longest ${at(0.999_999)}; ${answers}`,
  );
}

function exchange(agent: Agent, method: string, url: string, body: unknown): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers = text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
    const sent = request(url, { method, agent, headers }, (response) => {
      let received = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        received += part;
      });
      response.on('error', reject).on('end', () => resolve({ status: response.statusCode ?? 0, text: received }));
    });
    sent.on('error', reject).end(text);
  });
}
