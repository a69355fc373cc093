import type { IncomingMessage } from 'node:http';
import { IcecoreError } from '../errors.ts';

const loopbackHost = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i;

/**
 * Without access control whoever reaches the server may do all, and a browser on this machine can be made to reach it: by a name of the
 * attacker's that leads to loopback, or by a page of another origin. Throws FORBIDDEN for both.
 */
export function checkLoopbackOrigin({ headers }: IncomingMessage): void {
  if (!loopbackHost.test(headers.host ?? '')) {
    throw new IcecoreError(
      'FORBIDDEN',
      `This server runs without access control and answers only under a loopback name, not under "${headers.host ?? ''}".`,
    );
  }
  const { origin } = headers;
  if (origin === undefined) return;
  const host = /^https?:\/\/(.+)$/i.exec(origin)?.[1];
  if (host === undefined || !loopbackHost.test(host)) {
    throw new IcecoreError('FORBIDDEN', `This server runs without access control and takes no requests from pages of ${origin}.`);
  }
}

/**
 * Browsers send text, forms and multipart bodies across origins without asking first, JSON not. Throws BAD_USER_INPUT for a POST of
 * anything but JSON.
 */
export function checkJsonBody({ method, headers }: IncomingMessage): void {
  if (method !== 'POST') return;
  const type = headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (type === 'application/json' || type === 'application/graphql-response+json') return;
  throw new IcecoreError('BAD_USER_INPUT', `The content type ${type ?? '(none)'} is not taken here: send application/json.`);
}
