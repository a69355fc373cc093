import { setTimeout as pause } from 'node:timers/promises';
import { IcecoreError } from '../../errors.ts';
import { parseJson } from '../../iceberg/json.ts';
import {
  foreignAnswerBytesMax,
  foreignAttemptsMax,
  foreignPauseMsMax,
  foreignPauseMsMin,
  foreignRequestMsMax,
} from '../../limits.ts';

export interface ForeignRequest {
  readonly url: string;
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal;
}

export interface ForeignAnswer {
  readonly status: number;
  /** Parsed; null where the answer is empty or no JSON. 64-bit integers are bigints. */
  readonly body: unknown;
}

/**
 * Sends a request that may be sent twice, until it is answered: broken connections, time-outs, 429 and 5xx are tried again after a jittered
 * pause. Throws OVERLOADED, retryable, when attempts run out, and FAILED_PRECONDITION for an answer that is too long. Redirects are
 * not followed: the credential is for the address that was configured.
 */
export async function sendForeign(request: ForeignRequest): Promise<ForeignAnswer> {
  for (let attempt = 1; ; attempt++) {
    const answer = await attemptForeign(request);
    if (typeof answer !== 'string') return answer;
    if (attempt >= foreignAttemptsMax) {
      throw new IcecoreError(
        'OVERLOADED',
        `The catalog at ${hostOf(request.url)} did not answer in ${attempt} attempts; the last one: ${answer}.`,
        { retryable: true, context: { catalog: 'rest' } },
      );
    }
    const longest = Math.min(foreignPauseMsMax, foreignPauseMsMin * 2 ** (attempt - 1));
    await pause(longest * (0.5 + Math.random() / 2), undefined, request.signal === undefined ? {} : { signal: request.signal });
  }
}

/** The answer, or why there was none that counts. */
async function attemptForeign({ url, method, headers, body, signal }: ForeignRequest): Promise<ForeignAnswer | string> {
  const timeout = AbortSignal.timeout(foreignRequestMsMax);
  try {
    const response = await fetch(url, {
      method: method ?? 'GET',
      redirect: 'manual',
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      ...(headers === undefined ? {} : { headers }),
      ...(body === undefined ? {} : { body }),
    });
    const text = await readText(response, url);
    if (response.status === 429 || response.status >= 500) return `status ${response.status}`;
    return { status: response.status, body: parsed(text) };
  } catch (error) {
    if (signal?.aborted === true || IcecoreError.is(error)) throw error;
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return cause instanceof Error ? cause.message : String(cause);
  }
}

async function readText(response: Response, url: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > foreignAnswerBytesMax) {
      throw new IcecoreError(
        'FAILED_PRECONDITION',
        `An answer of the catalog at ${hostOf(url)} has over ${foreignAnswerBytesMax} bytes.`,
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parsed(text: string): unknown {
  try {
    return text === '' ? null : parseJson(text);
  } catch {
    return null;
  }
}

/** Of an address, what holds no secret. */
function hostOf(url: string): string {
  return new URL(url).host;
}
