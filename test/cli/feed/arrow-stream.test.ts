import {
  Field,
  makeData,
  RecordBatch,
  RecordBatchReader,
  Schema,
  Struct,
  tableFromIPC,
  Utf8,
  vectorFromArray,
} from 'apache-arrow';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { IpcWriter } from '../../../src/arrow/ipc.ts';
import { arrowColumns } from '../../../src/cli/feed/arrow-column.ts';
import { arrowFooter, arrowMagic } from '../../../src/cli/feed/arrow-footer.ts';
import { messageHead } from '../../../src/cli/feed/arrow-message.ts';
import { arrowFields } from '../../../src/cli/feed/arrow-schema.ts';
import { arrowMessages } from '../../../src/cli/feed/arrow-stream.ts';
import { Unreachable } from '../../../src/cli/refusal.ts';

/** A stream of some batches of a column of texts, as it would be cut into pieces on its way. */
function streamOf(texts: readonly (readonly (string | null)[])[]): Buffer {
  const schema = new Schema([new Field('text', new Utf8(), true)]);
  const batches = texts.map((each) => {
    const children = [vectorFromArray([...each], new Utf8()).data[0] ?? makeData({ type: new Utf8() })];
    return new RecordBatch(schema, makeData({ type: new Struct(schema.fields), length: each.length, children }));
  });
  const writer = new IpcWriter(schema);
  return Buffer.concat([
    writer.schema(),
    ...batches.map((batch, index) => writer.batch(batch, new Map([['icecore.cursor', String(index)]]))),
    writer.end(),
  ]);
}

async function* pieces(bytes: Uint8Array, lengths: readonly number[]): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (const length of lengths) {
    yield bytes.subarray(at, at + length);
    at += length;
  }
  yield bytes.subarray(at);
}

const batchTexts = fc.array(fc.array(fc.option(fc.string()), { maxLength: 20 }), { minLength: 1, maxLength: 5 });
const cuts = fc.array(fc.nat(300), { maxLength: 40 });

test('messages come whole, however the stream is cut, and make a file that Arrow reads', async () => {
  await fc.assert(
    fc.asyncProperty(batchTexts, cuts, async (texts, lengths) => {
      const stream = streamOf(texts);
      const messages = await Array.fromAsync(arrowMessages(pieces(stream, lengths)));
      expect(Buffer.concat(messages.flatMap(({ head, body }) => [head, body]))).toEqual(stream.subarray(0, -8));
      const cursors = messages.slice(1).map(({ head }) => messageHead(head).metadata.get('icecore.cursor'));
      expect(cursors).toEqual(texts.map((_, index) => String(index)));

      let offset = 8;
      const blocks = messages.map(({ head, body }) => {
        const block = { offset, headBytes: head.byteLength, bodyBytes: body.byteLength };
        offset += head.byteLength + body.byteLength;
        return block;
      });
      const footer = arrowFooter(messages[0]?.head ?? new Uint8Array(), [], blocks.slice(1));
      const file = Buffer.concat([arrowMagic, Buffer.alloc(2), stream, footer]);
      expect(RecordBatchReader.from(file).isFile()).toBe(true);
      expect(Array.from(tableFromIPC(file).getChild('text') ?? [])).toEqual(texts.flat());
    }),
    { numRuns: 50 },
  );
});

test('who leaves early leaves the source', async () => {
  let isLeft = false;
  const endless = async function* (): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield streamOf([['a']]).subarray(0, -8);
    } finally {
      isLeft = true;
    }
  };
  for await (const { head } of arrowMessages(endless())) if (messageHead(head).kind === 'BATCH') break;
  expect(isLeft).toBe(true);
});

test('a stream that ends early is refused, or is shorter by whole messages', async () => {
  const stream = streamOf([['a', null], ['b']]);
  const whole = await Array.fromAsync(arrowMessages(pieces(stream, [])));
  for (let length = 0; length < stream.length - 8; length++) {
    const read = Array.fromAsync(arrowMessages(pieces(stream.subarray(0, length), [])));
    const messages = await read.catch((error: unknown) => error);
    if (messages instanceof Unreachable) expect(messages.message).toBe('The feed ended in the middle of a batch.');
    else expect(messages).toEqual(whole.slice(0, (messages as readonly unknown[]).length));
  }
});

test('what was damaged on its way is refused, and nothing worse', async () => {
  const stream = streamOf([['some', null, 'texts'], ['more']]);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(stream.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
      async (damage) => {
        const bytes = Buffer.from(stream);
        for (const [at, value] of damage) bytes[at] = value;
        try {
          const [schema, ...batches] = await Array.fromAsync(arrowMessages(pieces(bytes, [])));
          if (schema === undefined) return;
          const fields = arrowFields(messageHead(schema.head).table);
          for (const { head, body } of batches) arrowColumns(messageHead(head).table, body, fields);
        } catch (error) {
          expect(error).toMatchObject({ name: expect.stringMatching(/^(Unreachable|Refusal)$/) });
        }
      },
    ),
    { numRuns: 500 },
  );
});
