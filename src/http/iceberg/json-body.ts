import type { IncomingMessage } from 'node:http';
import { IcecoreError } from '../../errors.ts';
import { parseJson } from '../../iceberg/json.ts';
import type { JsonObject } from '../../iceberg/json-member.ts';
import { requestBodyBytesMax, requestBodyMsMax, restJsonDepthMax } from '../../limits.ts';

/** The body of a request. Throws BAD_USER_INPUT where it is larger than `bytesMax`; a client that is too slow is cut off. */
export async function readBody(req: IncomingMessage, bytesMax = requestBodyBytesMax): Promise<Uint8Array> {
  if (Number(req.headers['content-length'] ?? 0) > bytesMax) throw tooLarge(bytesMax);
  const late = setTimeout(() => req.destroy(), requestBodyMsMax);
  try {
    const pieces: Uint8Array[] = [];
    let bytes = 0;
    for await (const piece of req as AsyncIterable<Uint8Array>) {
      bytes += piece.byteLength;
      if (bytes > bytesMax) throw tooLarge(bytesMax);
      pieces.push(piece);
    }
    return pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces, bytes);
  } finally {
    clearTimeout(late);
  }
}

/** The object that a body holds as JSON. Throws BAD_USER_INPUT. */
export function parseJsonBody(bytes: Uint8Array): JsonObject {
  if (bytes.byteLength === 0) throw malformed('it is empty');
  checkNesting(bytes);
  const value = parseJson(utf8(bytes));
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed('it is not a JSON object');
  return value as JsonObject;
}

function utf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw malformed('it is not UTF-8');
  }
}

const [quote, backslash, openBrace, openBracket, closeBrace, closeBracket] = [0x22, 0x5c, 0x7b, 0x5b, 0x7d, 0x5d];

/** Before anything follows the nesting by recursion. */
function checkNesting(bytes: Uint8Array): void {
  let depth = 0;
  let isText = false;
  for (let at = 0; at < bytes.byteLength; at++) {
    const byte = bytes[at];
    if (isText) {
      if (byte === backslash) at++;
      else if (byte === quote) isText = false;
    } else if (byte === quote) isText = true;
    else if (byte === openBrace || byte === openBracket) {
      if (++depth > restJsonDepthMax) throw malformed(`it is nested more than ${restJsonDepthMax} deep`);
    } else if (byte === closeBrace || byte === closeBracket) depth--;
  }
}

function malformed(why: string): IcecoreError {
  return new IcecoreError('BAD_USER_INPUT', `The body of the request cannot be read: ${why}.`);
}

function tooLarge(bytesMax: number): IcecoreError {
  return new IcecoreError('BAD_USER_INPUT', `The body of this request may have ${bytesMax} bytes: send it in parts.`, {
    context: { bytesMax },
  });
}
