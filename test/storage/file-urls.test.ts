import { expect, test } from 'vitest';
import { FileUrls, type S3Address } from '../../src/storage/file-urls.ts';
import type { S3Keys } from '../../src/storage/s3-client.ts';

const keys: S3Keys = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' };
const day = 86_400_000;
const now = new Date('2013-05-24T00:00:00Z');

function urls(address: Partial<S3Address> = {}, own: Partial<S3Keys> = {}): FileUrls {
  return new FileUrls({
    address: { url: null, region: null, isPathStyle: false, ...address },
    keys: async () => ({ ...keys, ...own }),
    region: async () => 'eu-west-1',
  });
}

test('a GET is signed as AWS publishes it', async () => {
  // Amazon S3 API reference, "Authenticating Requests: Using Query Parameters", with its example's keys, time and address.
  const signer = await urls({ url: 'https://s3.amazonaws.com', region: 'us-east-1' }).signer(now, day);
  expect(await signer.urlOf('s3://examplebucket/test.txt')).toBe(
    'https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=' +
      'AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&' +
      'X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404',
  );
  expect((await signer.expiresAt()).getTime()).toBe(now.getTime() + day);
});

test('the bucket is in the host or in the path, the region the one that is said or the server’s own', async () => {
  const plain = await (await urls().signer(now, day)).urlOf('s3://some-bucket/a b/part=1%2F2/ä+(1).parquet');
  expect(plain).toMatch(
    /^https:\/\/some-bucket\.s3\.eu-west-1\.amazonaws\.com\/a%20b\/part%3D1%252F2\/%C3%A4%2B%281%29\.parquet\?/,
  );
  expect(plain).toContain('%2Feu-west-1%2Fs3%2F');
  const dotted = await (await urls().signer(now, day)).urlOf('s3a://some.bucket/x');
  expect(dotted).toMatch(/^https:\/\/s3\.eu-west-1\.amazonaws\.com\/some\.bucket\/x\?/);
  const own = urls({ url: 'http://localhost:8333', region: 'here', isPathStyle: true });
  expect(await (await own.signer(now, day)).urlOf('s3://b/k')).toMatch(/^http:\/\/localhost:8333\/b\/k\?/);
});

test('keys that are good for a while sign for that long', async () => {
  const expiration = new Date(now.getTime() + 600_000);
  const signer = await urls({}, { expiration, sessionToken: 'token/with+signs' }).signer(now, day);
  expect((await signer.expiresAt()).getTime()).toBe(expiration.getTime() - 5000);
  const url = new URL(await signer.urlOf('s3://b/k'));
  expect(url.searchParams.get('X-Amz-Expires')).toBe('595');
  expect(url.searchParams.get('X-Amz-Security-Token')).toBe('token/with+signs');
  const late = await urls({}, { expiration: now }).signer(now, day);
  await expect(late.urlOf('s3://b/k')).rejects.toMatchObject({ code: 'FAILED_PRECONDITION', retryable: true });
});

test('files on local disk need no key', async () => {
  const none = () => Promise.reject(new Error('There are no keys.'));
  const local = new FileUrls({ address: { url: null, region: null, isPathStyle: false }, keys: none, region: none });
  const signer = await local.signer(now, day);
  expect(await signer.urlOf('file:///data/part=a b/50%.parquet')).toBe('file:///data/part=a%20b/50%25.parquet');
});
