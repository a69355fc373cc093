import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { monotonic } from '../../../src/clock.ts';
import { startTestServer, type TestServer } from '../test-server.ts';
import { askRest, type RestAnswer, refusalOf } from './rest-client.ts';

const key = 'a-key-of-ada:with-colon';
const keys = JSON.stringify([
  { key, subject: 'ada', kind: 'HUMAN', roles: ['scientist'] },
  { key: 'soon-over', subject: 'temp', kind: 'SERVICE', roles: ['viewer'], expiresAt: '2030-01-01T00:10:00Z' },
]);
const hourMicros = 3_600_000_000n;
const exchange = 'urn:ietf:params:oauth:grant-type:token-exchange';
const accessToken = 'urn:ietf:params:oauth:token-type:access_token';

let nowMicros = 1_893_456_000_000_000n;
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ keys, clock: monotonic(() => nowMicros) });
});
afterAll(async () => server.close());

async function ask(form: Readonly<Record<string, string>>, headers: Readonly<Record<string, string>> = {}): Promise<RestAnswer> {
  const body = new URLSearchParams(form).toString();
  return await askRest(server, '/v1/oauth/tokens', {
    body,
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
  });
}

const login = (client_secret: string, more = {}) => ask({ grant_type: 'client_credentials', client_secret, ...more });
const renew = (subject_token: string, headers = {}) =>
  ask({ grant_type: exchange, subject_token, subject_token_type: accessToken, scope: 'catalog' }, headers);
const namespaces = (token: string) => askRest(server, '/v1/namespaces', { key: token });

describe('an access token', () => {
  it('stands for its key for an hour, and is renewed', async () => {
    const given = await login(key, { client_id: 'whoever', scope: 'catalog' });
    expect(given.status).toBe(200);
    expect(given.headers.get('cache-control')).toBe('no-store');
    expect(given.body).toEqual({
      access_token: expect.any(String),
      token_type: 'bearer',
      expires_in: 3600,
      issued_token_type: accessToken,
    });
    const token: string = given.body.access_token;
    // Java's client reads from it when to renew it.
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    expect(claims).toMatchObject({ sub: 'ada', exp: Number(nowMicros / 1_000_000n) + 3600 });
    expect((await namespaces(token)).status).toBe(200);
    expect((await server.ask('{ viewer { actor { id } } }', {}, token)).data.viewer.actor.id).toBe('ada');

    nowMicros += hourMicros - 60_000_000n;
    const next: string = (await renew(token, { authorization: `Bearer ${token}` })).body.access_token;
    nowMicros += 60_000_000n;
    expect(refusalOf(await namespaces(token))).toContain('401 NotAuthorizedException: The access token has expired');
    expect((await namespaces(next)).status).toBe(200);
    expect((await renew(token)).body).toMatchObject({ error: 'invalid_grant' });
    const shown = await renew(token, { authorization: `Basic ${Buffer.from(`id:${key}`).toString('base64')}` });
    expect((await namespaces(shown.body.access_token)).status).toBe(200);
  });

  it('is renewed for a day, and then takes the key again', async () => {
    let token: string = (await login(key)).body.access_token;
    for (let hour = 0; hour < 25; hour++) {
      nowMicros += hourMicros - 1_000_000n;
      const { status, body } = await renew(token);
      if (status !== 200) break;
      token = body.access_token;
    }
    const last = await renew(token);
    expect([last.status, last.body.error]).toEqual([400, 'invalid_grant']);
    expect(last.body.error_description).toContain('ask for one with the API key');
  });

  it('ends with its key', async () => {
    const late = await login('soon-over');
    // Its key expired in the test above.
    expect([late.status, late.body.error]).toEqual([401, 'invalid_client']);
  });

  it('is neither the key nor guessed, and another server knows it not', async () => {
    const token: string = (await login(key)).body.access_token;
    expect(token).not.toContain(key);
    const [head, body, signature] = token.split('.');
    const forged = Buffer.from(JSON.stringify({ sub: 'root', exp: 9e9, key: 'x' })).toString('base64url');
    for (const made of [
      `${head}.${forged}.${signature}`,
      `${head}.${body}.`,
      `${head}.${body}`,
      `${token}.x`,
      `${head}.${body}.AAAA`,
    ]) {
      expect((await namespaces(made)).status, made).toBe(401);
      expect((await renew(made)).body.error, made).toBe('invalid_grant');
    }
    const other = await startTestServer({ keys });
    try {
      expect((await askRest(other, '/v1/namespaces', { key: token })).status).toBe(401);
      expect((await askRest(other, '/v1/namespaces', { key })).status).toBe(200);
    } finally {
      await other.close();
    }
  });

  it.each<[number, string, Readonly<Record<string, string>>]>([
    [401, 'invalid_client', { grant_type: 'client_credentials', client_secret: 'nobody-has-this' }],
    [400, 'invalid_request', { client_secret: key }],
    [400, 'invalid_request', { grant_type: 'client_credentials' }],
    [400, 'unsupported_grant_type', { grant_type: 'password', username: 'ada', password: key }],
    [400, 'invalid_request', { grant_type: exchange }],
    [400, 'invalid_request', { grant_type: exchange, subject_token: 'x', subject_token_type: 'urn:x' }],
    [400, 'invalid_grant', { grant_type: exchange, subject_token: 'x', subject_token_type: accessToken }],
  ])('is refused with %i %s', async (status, error, form) => {
    const refused = await ask(form);
    expect(refused.status).toBe(status);
    expect(refused.body).toEqual({ error, error_description: expect.any(String) });
    expect(refused.text).not.toContain(key);
  });

  it('takes a form, and a short one', async () => {
    const json = await ask({}, { 'content-type': 'application/json' });
    expect([json.status, json.body.error]).toEqual([400, 'invalid_request']);
    expect((await login('x'.repeat(70_000))).status).toBe(400);
  });

  it('is counted where it is asked for in vain', async () => {
    await login('nobody-has-this');
    await server.icecore.audit.recordUnknownRefusals();
    const { entries } = await server.icecore.access.asServer(() => server.icecore.audit.entries({ subject: 'server', first: 1 }));
    expect(entries[0]).toMatchObject({ action: 'refuseUnknownCallers', outcome: 'UNAUTHENTICATED' });
  });

  it('is given to anyone by a server that tells no callers apart', async () => {
    const open = await startTestServer();
    try {
      const { body } = await askRest(open, '/v1/oauth/tokens', {
        body: 'grant_type=client_credentials&client_secret=any',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      });
      expect((await askRest(open, '/v1/namespaces', { key: body.access_token })).status).toBe(200);
    } finally {
      await open.close();
    }
  });
});
