import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type S3Endpoint, s3Endpoint } from '../../src/rest-catalog/s3-endpoint.ts';
import { parseS3Target } from '../../src/rest-catalog/s3-target.ts';
import { type SignableRequest, type SignRequest, signableRequest } from '../../src/rest-catalog/signable-request.ts';

const store = s3Endpoint({ endpoint: 'http://127.0.0.1:8333', region: 'us-east-1', pathStyle: null }, 'test');
const amazon = s3Endpoint({ endpoint: null, region: 'eu-central-1', pathStyle: null }, 'test');
const virtual = s3Endpoint({ endpoint: 'https://objects.example.com', region: null, pathStyle: false }, 'test');
const place = { scheme: 's3', bucket: 'lake', key: 'warehouse/raw/flights-12345678' } as const;
const base = 'http://127.0.0.1:8333/lake/warehouse/raw/flights-12345678';

function judge(method: string, uri: string, more: Partial<SignRequest> = {}, endpoint: S3Endpoint = store): SignableRequest {
  const request: SignRequest = { method, uri, region: 'us-east-1', headers: {}, body: null, ...more };
  return signableRequest(request, parseS3Target(uri, [endpoint]), place);
}

const forbidden = expect.objectContaining({ code: 'FORBIDDEN' });
const malformed = expect.objectContaining({ code: 'BAD_USER_INPUT' });

describe('what the files of a table need', () => {
  test.each([
    ['GET', `${base}/data/x.parquet`, 'read'],
    ['HEAD', `${base}/metadata/00000-x.metadata.json`, 'read'],
    ['GET', `${base}/data/x.parquet?partNumber=2&x-id=GetObject`, 'read'],
    ['GET', `${base}/data/day%3D2026-11-23/a%20b%2Bc%25d.parquet`, 'read'],
    [
      'GET',
      'http://127.0.0.1:8333/lake?list-type=2&prefix=warehouse%2Fraw%2Fflights-12345678%2Fdata&delimiter=%2F&max-keys=1',
      'read',
    ],
    ['GET', 'http://127.0.0.1:8333/lake/?list-type=2&prefix=warehouse/raw/flights-12345678/', 'read'],
    ['PUT', `${base}/data/x.parquet`, 'write'],
    ['PUT', `${base}/data/x.parquet?partNumber=1&uploadId=abc`, 'write'],
    ['POST', `${base}/data/x.parquet?uploads`, 'write'],
    ['POST', `${base}/data/x.parquet?uploads=`, 'write'],
    ['POST', `${base}/data/x.parquet?uploadId=abc`, 'write'],
    ['GET', `${base}/data/x.parquet?uploadId=abc`, 'write'],
    ['DELETE', `${base}/data/x.parquet`, 'write'],
    ['DELETE', `${base}/data/x.parquet?uploadId=abc`, 'write'],
  ])('%s %s', (method, uri, access) => {
    expect(judge(method, uri)).toEqual({ access, headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } });
  });

  test('the bucket may stand in the host, where the store knows it there', () => {
    const path = 'warehouse/raw/flights-12345678/data/x';
    for (const host of [
      'lake.s3.eu-central-1.amazonaws.com',
      'lake.s3.amazonaws.com',
      'lake.s3.dualstack.us-east-1.amazonaws.com',
    ]) {
      expect(judge('GET', `https://${host}/${path}`, {}, amazon).access).toBe('read');
    }
    expect(judge('GET', `https://s3.eu-central-1.amazonaws.com/lake/${path}`, {}, amazon).access).toBe('read');
    expect(judge('GET', `https://lake.objects.example.com/${path}`, {}, virtual).access).toBe('read');
    expect(judge('GET', `https://objects.example.com/lake/${path}`, {}, virtual).access).toBe('read');
  });

  test('headers that say nothing about others are signed, and no others are', () => {
    const headers = {
      'Content-Type': ['application/octet-stream'],
      Range: ['bytes=0-3'],
      'User-Agent': ['x'],
      'Content-MD5': ['abc=='],
      'X-Amz-Checksum-CRC32': ['AAAAAA=='],
      'x-amz-meta-a': ['b'],
      'x-amz-server-side-encryption': ['aws:kms'],
      'amz-sdk-invocation-id': ['x'],
    };
    expect(judge('PUT', `${base}/x`, { headers }).headers).toEqual({
      'content-md5': 'abc==',
      'x-amz-checksum-crc32': 'AAAAAA==',
      'x-amz-meta-a': 'b',
      'x-amz-server-side-encryption': 'aws:kms',
      'x-amz-content-sha256': 'UNSIGNED-PAYLOAD',
    });
  });
});

describe('what is refused', () => {
  test.each([
    ['another bucket', 'GET', 'http://127.0.0.1:8333/other/warehouse/raw/flights-12345678/x'],
    ['another table', 'GET', 'http://127.0.0.1:8333/lake/warehouse/raw/other/x'],
    ['a table whose name begins the same', 'GET', `${base}9/x`],
    ['the location itself', 'PUT', base],
    ['the location as a directory', 'DELETE', `${base}/`],
    ['a bucket', 'GET', 'http://127.0.0.1:8333/lake'],
    ['a bucket', 'DELETE', 'http://127.0.0.1:8333/lake'],
    ['a bucket', 'HEAD', 'http://127.0.0.1:8333/lake'],
    ['a bucket', 'PUT', 'http://127.0.0.1:8333/lake'],
    ['a list of all', 'GET', 'http://127.0.0.1:8333/lake?list-type=2'],
    ['a list of all', 'GET', 'http://127.0.0.1:8333/lake?list-type=2&prefix='],
    ['a list of neighbours', 'GET', 'http://127.0.0.1:8333/lake?list-type=2&prefix=warehouse/raw/flights-12345678'],
    ['a list of another bucket', 'GET', 'http://127.0.0.1:8333/b2x?list-type=2&prefix=warehouse/raw/flights-12345678/'],
    ['a list that leads up', 'GET', 'http://127.0.0.1:8333/lake?prefix=warehouse/raw/flights-12345678/../'],
    ['uploads of the bucket', 'GET', 'http://127.0.0.1:8333/lake?uploads&prefix=warehouse/raw/flights-12345678/'],
    ['an access list', 'GET', `${base}/x?acl`],
    ['an access list', 'PUT', `${base}/x?acl`],
    ['a policy', 'PUT', 'http://127.0.0.1:8333/lake?policy'],
    ['tags', 'PUT', `${base}/x?tagging`],
    ['a version', 'DELETE', `${base}/x?versionId=1`],
    ['a selection', 'POST', `${base}/x?select&select-type=2`],
    ['a copy of a part', 'PUT', `${base}/x?partNumber=1`],
    ['something signed already', 'GET', `${base}/x?X-Amz-Signature=abc`],
    ['an answer that is made up', 'GET', `${base}/x?response-content-type=text/html`],
    ['a method', 'PATCH', `${base}/x`],
    ['a method', 'OPTIONS', `${base}/x`],
    ['a store', 'GET', 'http://127.0.0.1:8334/lake/warehouse/raw/flights-12345678/x'],
    ['a store', 'GET', 'https://127.0.0.1:8333/lake/warehouse/raw/flights-12345678/x'],
    ['a host with a bucket, where buckets are in paths', 'GET', 'http://lake.127.0.0.1:8333/warehouse/raw/flights-12345678/x'],
  ])('%s: %s %s', (_what, method, uri) => {
    expect(() => judge(method, uri)).toThrow(forbidden);
  });

  test.each([
    'https://warehouse.s3.eu-central-1.amazonaws.com/lake/warehouse/raw/flights-12345678/x',
    'https://lake.s3-accesspoint.eu-central-1.amazonaws.com/warehouse/raw/flights-12345678/x',
    'https://lake.s3-control.eu-central-1.amazonaws.com/warehouse/raw/flights-12345678/x',
    'https://lake.s3.eu-central-1.amazonaws.com.evil.com/warehouse/raw/flights-12345678/x',
    'https://s3.evil.com/lake/warehouse/raw/flights-12345678/x',
  ])('%s, which is no place of the table at Amazon', (uri) => {
    expect(() => judge('GET', uri, {}, amazon)).toThrow(forbidden);
  });

  test.each([
    `${base}/../secret/x`,
    `${base}/%2e%2e/secret/x`,
    `${base}/%2E%2E%2Fsecret%2Fx`,
    `${base}/..%2f..%2fsecret`,
    `${base}/%252e%252e/secret`,
    `${base}/%25252e%25252e%25252fsecret`,
    `${base}/..%5csecret`,
    `${base}%2fx`,
    `${base}/./x`,
    `${base}/x%00`,
    `${base}/x%0d%0ay`,
    `${base}/x%zz`,
    `${base}/x%ff`,
    `${base}/x#fragment`,
    `${base}/x y`,
    `${base}\\..\\x`,
    `${base}/x?versionId=1&versionId=2`,
    base.replace('http:', 'ftp:'),
    base.replace('127.0.0.1', 'user:secret@127.0.0.1'),
    '/lake/warehouse/raw/flights-12345678/x',
    '',
  ])('%j, which is taken apart in more ways than one', (uri) => {
    expect(() => judge('GET', uri)).toThrow(malformed);
  });

  test.each([
    'x-amz-copy-source',
    'x-amz-acl',
    'x-amz-grant-read',
    'X-Amz-Grant-Full-Control',
    'x-amz-object-lock-mode',
    'x-amz-website-redirect-location',
    'x-amz-bypass-governance-retention',
    'x-amz-new-thing',
  ])('the header %s', (name) => {
    expect(() => judge('PUT', `${base}/x`, { headers: { [name]: ['public-read'] } })).toThrow(forbidden);
  });

  test('what is signed already, and payloads that cannot be', () => {
    for (const name of ['Authorization', 'x-amz-date', 'X-Amz-Security-Token']) {
      expect(() => judge('PUT', `${base}/x`, { headers: { [name]: ['x'] } })).toThrow(malformed);
    }
    const headers = { 'x-amz-content-sha256': ['STREAMING-AWS4-HMAC-SHA256-PAYLOAD'] };
    expect(() => judge('PUT', `${base}/x`, { headers })).toThrow(malformed);
  });
});

describe('removing many objects', () => {
  const uri = 'http://127.0.0.1:8333/lake?delete';
  const body = (...keys: readonly string[]) =>
    `<?xml version="1.0" encoding="UTF-8"?><Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${keys.map((key) => `<Object><Key>${key}</Key></Object>`).join('')}<Quiet>true</Quiet></Delete>`;

  test('is signed with its body', () => {
    const given = body('warehouse/raw/flights-12345678/data/a&amp;b', 'warehouse/raw/flights-12345678/c&#x41;&#66;');
    expect(judge('POST', uri, { body: given })).toEqual({
      access: 'write',
      headers: { 'x-amz-content-sha256': expect.stringMatching(/^[0-9a-f]{64}$/) },
    });
  });

  test.each([
    ['a key elsewhere', body('warehouse/raw/flights-12345678/x', 'warehouse/raw/other/x'), forbidden],
    ['a key that leads up', body('warehouse/raw/flights-12345678/../other/x'), forbidden],
    ['a key that leads up by entities', body('warehouse/raw/flights-12345678/&#46;&#x2e;/other/x'), forbidden],
    ['no body', '', malformed],
    ['no object', body(), malformed],
    ['a comment', body('warehouse/raw/flights-12345678/x').replace('<Object>', '<!-- <Object> --><Object>'), malformed],
    ['a CDATA section', body('<![CDATA[warehouse/raw/other/x]]>'), malformed],
    ['a document type', `<!DOCTYPE Delete [<!ENTITY x "y">]>${body('warehouse/raw/flights-12345678/x')}`, malformed],
    ['an unknown entity', body('warehouse/raw/flights-12345678/&x;'), malformed],
    ['two keys in one object', body('warehouse/raw/flights-12345678/x</Key><Key>warehouse/raw/other/x'), malformed],
    ['a version', body('warehouse/raw/flights-12345678/x</Key><VersionId>1</VersionId><Key>'), malformed],
    ['two documents', body('warehouse/raw/flights-12345678/x') + body('warehouse/raw/other/x'), malformed],
    [
      'another element',
      body('warehouse/raw/flights-12345678/x').replace('<Quiet>', '<object><Key>y</Key></object><Quiet>'),
      malformed,
    ],
  ])('%s is refused', (_what, given, refusal) => {
    expect(() => judge('POST', uri, { body: given })).toThrow(refusal);
  });

  test('another body than the one that was judged is refused', () => {
    const headers = { 'x-amz-content-sha256': ['UNSIGNED-PAYLOAD'] };
    expect(() => judge('POST', uri, { headers, body: body('warehouse/raw/flights-12345678/x') })).toThrow(malformed);
  });

  test('more objects than S3 takes are refused', () => {
    const keys = Array.from({ length: 1001 }, (_, index) => `warehouse/raw/flights-12345678/${index}`);
    expect(() => judge('POST', uri, { body: body(...keys) })).toThrow(malformed);
  });
});

test('whatever address is signed, any way of reading it stays in the table', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      '..',
      '.',
      '',
      '%2e',
      '%2E%2e',
      '%2f',
      '%252f',
      '%5c',
      '\\',
      ';',
      '@',
      ':',
      '//',
      '?',
      '#',
      'lake',
      'warehouse',
      'raw',
      'flights-12345678',
      'x',
    ),
    fc.string({ maxLength: 3 }),
  );
  const start = fc.constantFrom(`${base}/`, 'http://127.0.0.1:8333/', 'http://127.0.0.1:8333/lake/', `${base}`);
  fc.assert(
    fc.property(start, fc.array(piece, { maxLength: 6 }), fc.constantFrom('/', ''), (head, pieces, glue) => {
      const uri = head + pieces.join(glue);
      let signable: SignableRequest;
      try {
        signable = judge('PUT', uri);
      } catch (error) {
        expect(error).toMatchObject({ code: expect.stringMatching(/^(FORBIDDEN|BAD_USER_INPUT)$/) });
        return;
      }
      expect(signable.access).toBe('write');
      // As browsers and SDKs read it, and with all escapes undone.
      const url = new URL(uri);
      expect(url.host).toBe('127.0.0.1:8333');
      let path = url.pathname;
      for (let again = 0; again < 4; again++) {
        expect(new URL(`http://h${path.replaceAll('?', '%3F').replaceAll('#', '%23')}`).pathname).toMatch(
          /^\/lake\/warehouse\/raw\/flights-12345678\/./,
        );
        path = unescapeOnce(path);
      }
    }),
    { numRuns: 3000 },
  );
});

function unescapeOnce(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
