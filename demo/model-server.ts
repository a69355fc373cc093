/** A small process that serves the demo's model by the Open Inference Protocol v2: `node demo/model-server.ts ARTIFACT PORT`. */
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { hourInput, type LateModel, logit, probability } from './late-model.ts';

const [artifact = '', port = '0'] = process.argv.slice(2);
const name = 'flight-late';
const version = '1';
const model = JSON.parse(readFileSync(artifact, 'utf8')) as LateModel;

interface Tensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: readonly (number | null)[];
}

interface InferRequest {
  readonly id?: string;
  readonly inputs: readonly Tensor[];
}

const server = createServer((request, response) => {
  answer(request, response).catch((error: unknown) => {
    send(response, 400, { error: error instanceof Error ? error.message : String(error) });
  });
});
server.listen(Number(port), '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') process.send?.({ port: address.port });
});
// Serves the demo that started it, and goes with it.
process.on('disconnect', () => process.exit(0));

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = new URL(request.url ?? '/', 'http://model').pathname;
  if (path === '/v2/health/live' || path === '/v2/health/ready') return send(response, 200, {});
  if (path === '/v2') return send(response, 200, { name: 'icecore-demo', version: '1', extensions: [] });
  const route = /^\/v2\/models\/([^/]+)(?:\/versions\/([^/]+))?(\/infer|\/ready)?$/.exec(path);
  if (route === null || route[1] !== name || (route[2] ?? version) !== version) {
    return send(response, 404, { error: `no such model: ${path}` });
  }
  if (route[3] === '/ready') return send(response, 200, { name, ready: true });
  if (route[3] === undefined)
    return send(response, 200, { name, versions: [version], platform: 'icecore-demo', inputs: [], outputs: [] });
  const body = JSON.parse(await readBody(request)) as InferRequest;
  const scores = infer(body);
  send(response, 200, {
    model_name: name,
    model_version: version,
    ...(body.id === undefined ? {} : { id: body.id }),
    outputs: [{ name: 'probability_late', shape: [scores.length, 1], datatype: 'FP64', data: scores }],
  });
}

function infer({ inputs }: InferRequest): readonly number[] {
  const tensors = model.inputs.map((input) => tensorOf(inputs, input.name));
  const hours = tensorOf(inputs, hourInput);
  const values = new Float64Array(model.inputs.length);
  return hours.data.map((hour, row) => {
    for (const [index, tensor] of tensors.entries()) values[index] = tensor.data[row] ?? Number.NaN;
    return probability(logit(model, model.weights, values, hour ?? 0));
  });
}

function tensorOf(inputs: readonly Tensor[], wanted: string): Tensor {
  const tensor = inputs.find((input) => input.name === wanted);
  if (tensor === undefined) throw new Error(`input "${wanted}" is missing`);
  return tensor;
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
