import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readResponseHead } from '../../src/storage/response-head.ts';

const head = 'HTTP/1.1 206 Partial Content\r\nContent-Length: 3\r\nETag:"1" \r\nx-empty:\r\n\r\n';

test('a head is read from its bytes, and not before all of them are there', () => {
  const bytes = Buffer.from(`${head}abc`);
  fc.assert(
    fc.property(fc.nat({ max: bytes.length }), (length) => {
      const read = readResponseHead(bytes.subarray(0, length));
      if (length < head.length) expect(read).toBeNull();
      else {
        expect(read).toEqual({
          status: 206,
          headers: Object.assign(Object.create(null), { 'content-length': '3', etag: '"1"', 'x-empty': '' }),
          byteLength: head.length,
        });
      }
    }),
  );
});

test.each([
  'HTTP/1.0 206 Partial Content\r\n\r\n',
  'HTTP/1.1 206 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
  'HTTP/1.1 206 OK\r\nContent-Encoding: gzip\r\n\r\n',
  'HTTP/1.1 206 OK\r\nno colon\r\n\r\n',
  'HTTP/1.1 206 OK\r\n folded: 1\r\n\r\n',
  'anything else\r\n\r\n',
  `HTTP/1.1 206 OK\r\nlong: ${'x'.repeat(100_000)}`,
])('%.30j is none', (text) => {
  expect(readResponseHead(Buffer.from(text))).toBe('odd');
});
