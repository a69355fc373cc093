import { Agent, request } from 'node:http';

export interface LoadFigures {
  readonly perSecond: number;
  readonly p99Ms: number;
}

/** Loads one table `count` times by `clients` that each wait for their answer, over connections that stay open. */
export async function loadTable(url: string, clients: number, count: number): Promise<LoadFigures> {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const millis: number[] = [];
  let left = count;
  const client = async (): Promise<void> => {
    while (left-- > 0) {
      const startMs = performance.now();
      await get(url, agent);
      millis.push(performance.now() - startMs);
    }
  };
  const startMs = performance.now();
  await Promise.all(Array.from({ length: clients }, client));
  const seconds = (performance.now() - startMs) / 1000;
  agent.destroy();
  millis.sort((a, b) => a - b);
  return { perSecond: count / seconds, p99Ms: millis[Math.floor(millis.length * 0.99)] ?? Number.NaN };
}

/** Takes the whole answer without looking into it: what a client does with it is not measured. */
function get(url: string, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { agent, headers: { accept: 'application/json' } }, (response) => {
      response.on('error', reject).on('end', () => {
        if (response.statusCode === 200) resolve();
        else reject(new Error(`${url} answered ${response.statusCode}`));
      });
      response.resume();
    });
    sent.on('error', reject).end();
  });
}
