import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import { restGzipBytesMin, restResponseStallMsMax } from '../../limits.ts';
import type { IcebergAnswer } from './answer.ts';

const compress = promisify(gzip);

/** Sends an answer; a long body compressed where the client takes that. Resets the connection of a body in pieces that fails on the way. */
export async function writeAnswer(req: IncomingMessage, res: ServerResponse, answer: IcebergAnswer): Promise<void> {
  const { status, headers, body } = answer;
  const hasBody = body !== undefined && req.method !== 'HEAD';
  // What was not read of the request would be taken for the next one.
  if (hasUnreadBody(req)) res.setHeader('connection', 'close');
  if (!hasBody) {
    res.writeHead(status, { ...headers, ...(status === 204 || status === 304 ? {} : { 'content-length': 0 }) });
    res.end();
    return;
  }
  const all = { 'content-type': 'application/json', 'x-content-type-options': 'nosniff', ...headers };
  if (typeof body !== 'string' && !(body instanceof Uint8Array)) return await writePieces(res, status, all, body);
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  const isCompressed = headers?.['content-encoding'] !== undefined;
  if (isCompressed || bytes.byteLength < restGzipBytesMin || !takesGzip(req)) {
    res.writeHead(status, { ...all, 'content-length': bytes.byteLength });
    res.end(bytes);
    return;
  }
  const packed = await compress(bytes, { level: constants.Z_BEST_SPEED });
  res.writeHead(status, { ...all, 'content-encoding': 'gzip', vary: 'Accept-Encoding', 'content-length': packed.byteLength });
  res.end(packed);
}

export function takesGzip({ headers }: IncomingMessage): boolean {
  return /(?:^|,)\s*(?:gzip|\*)\s*(?:;\s*q=(?!0(?:\.0*)?\s*(?:,|$))[\d.]+\s*)?(?:,|$)/i.test(
    String(headers['accept-encoding'] ?? ''),
  );
}

async function writePieces(
  res: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  pieces: AsyncIterable<string>,
): Promise<void> {
  try {
    for await (const piece of pieces) {
      // The first piece comes before the status: it may be a refusal.
      if (!res.headersSent) res.writeHead(status, headers);
      if (!res.write(piece) && !res.destroyed) await takenOrClosed(res);
      if (res.destroyed) return;
    }
    res.end();
  } catch (error) {
    if (!res.headersSent) throw error;
    res.destroy();
  }
}

/** Resolves once the client has taken what was written, has left, or was cut off for taking nothing. */
function takenOrClosed(res: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const late = setTimeout(() => res.destroy(), restResponseStallMsMax);
    const settle = (): void => {
      clearTimeout(late);
      res.off('drain', settle).off('close', settle);
      resolve();
    };
    res.on('drain', settle).on('close', settle);
  });
}

function hasUnreadBody({ complete, headers }: IncomingMessage): boolean {
  return !complete && (headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0);
}
