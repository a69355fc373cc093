import { type IncomingMessage, request } from 'node:http';
import { type RecordBatch, RecordBatchReader } from 'apache-arrow';
import { eventPayloads } from '../http/event-stream.ts';

export const arrowType = 'application/vnd.apache.arrow.stream';
export const eventType = 'text/event-stream';

export interface Subscription {
  readonly origin: string;
  readonly query: string;
  readonly variables?: Readonly<Record<string, unknown>>;
  readonly accept: string;
  readonly key?: string;
}

/** The head of the response; nothing of its body is read yet. */
export function subscribe({ origin, query, variables = {}, accept, key }: Subscription): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sent = request(`${origin}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept,
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      },
      // A connection of its own, so that resetting it says something about this response alone.
      agent: false,
    });
    sent.once('response', resolve).once('error', reject);
    sent.end(JSON.stringify({ query, variables }));
  });
}

/** A batch as either transport brings it. */
export interface ReceivedBatch {
  readonly recordBatch: RecordBatch;
  readonly schemaMetadata: ReadonlyMap<string, string>;
  readonly metadata: ReadonlyMap<string, string>;
}

/** The batches of a raw response, in order. Throws where it is no whole stream. */
export async function rawBatches(response: IncomingMessage | AsyncIterable<Uint8Array>): Promise<readonly ReceivedBatch[]> {
  const reader = await RecordBatchReader.from(response);
  const batches: ReceivedBatch[] = [];
  for await (const recordBatch of reader) {
    batches.push(received(recordBatch));
  }
  return batches;
}

/** The one batch of an event's `ipc`. Throws where there is another number of them. */
export function eventBatch(ipc: string): ReceivedBatch {
  const [recordBatch, ...more] = [...RecordBatchReader.from(Buffer.from(ipc, 'base64'))];
  if (recordBatch === undefined || more.length > 0) throw new Error(`an event holds ${more.length + 1} batches`);
  return received(recordBatch);
}

function received(recordBatch: RecordBatch): ReceivedBatch {
  return { recordBatch, schemaMetadata: recordBatch.schema.metadata, metadata: recordBatch.metadata };
}

/** What each `next` event of a response holds, up to its `complete`. Throws where it ends without. */
export async function events<Payload>(response: IncomingMessage): Promise<readonly Payload[]> {
  return await Array.fromAsync(eventPayloads<Payload>(response));
}

export async function text(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
