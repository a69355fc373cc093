import type { Readable } from 'node:stream';

/** What each `next` event of a response of server-sent events holds, as it comes. Throws where the response ends without `complete`. */
export async function* eventPayloads<Payload>(response: Readable): AsyncGenerator<Payload, void, undefined> {
  let unread = '';
  for await (const chunk of response.setEncoding('utf8') as AsyncIterable<string>) {
    const blocks = `${unread}${chunk}`.split('\n\n');
    unread = blocks.pop() ?? '';
    for (const block of blocks) {
      const lines = block.split('\n');
      const data = lines.flatMap((line) => (line.startsWith('data:') ? [line.slice('data:'.length).trim()] : []));
      if (lines.includes('event: next')) yield JSON.parse(data.join('\n')) as Payload;
      if (lines.includes('event: complete')) return;
    }
  }
  throw new Error('the response ended before its "complete" event');
}
