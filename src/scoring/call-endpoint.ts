import { setTimeout as pause } from 'node:timers/promises';
import { IcecoreError } from '../errors.ts';
import { parseJson } from '../iceberg/json.ts';
import {
  endpointAnswerBytesMax,
  endpointAttemptsMax,
  endpointCallMsMax,
  endpointPauseMsMax,
  endpointPauseMsMin,
} from '../limits.ts';
import type { EndpointRequest } from './endpoint.ts';

/** What came back of a batch: the parsed body, or why its rows were refused. */
export type EndpointOutcome =
  | { readonly kind: 'ANSWERED'; readonly body: unknown }
  | { readonly kind: 'REFUSED'; readonly message: string };

/** How long and how often a call is tried. */
export interface EndpointLimits {
  /** From sending to the last byte of the answer. */
  readonly callMsMax: number;
  readonly attemptsMax: number;
  readonly pauseMsMin: number;
  readonly pauseMsMax: number;
}

export const endpointLimits: EndpointLimits = {
  callMsMax: endpointCallMsMax,
  attemptsMax: endpointAttemptsMax,
  pauseMsMin: endpointPauseMsMin,
  pauseMsMax: endpointPauseMsMax,
};

/**
 * Posts a batch until it is answered or refused. Time-outs, broken connections, 429 and 5xx are tried again after a jittered pause, and are
 * OVERLOADED when attempts run out; any other 4xx refuses the batch's rows with the server's message. Redirects are not followed but
 * FAILED_PRECONDITION: the origin was allowed, not where it points.
 */
export async function callEndpoint(
  request: EndpointRequest,
  signal: AbortSignal,
  limits: EndpointLimits = endpointLimits,
): Promise<EndpointOutcome> {
  for (let attempt = 1; ; attempt++) {
    const outcome = await tryOnce(request, signal, limits);
    if (outcome.kind !== 'RETRY') return outcome;
    if (attempt >= limits.attemptsMax) {
      throw new IcecoreError(
        'OVERLOADED',
        `${request.url} did not answer in ${attempt} attempts; the last one: ${outcome.reason}.`,
      );
    }
    const longest = Math.min(limits.pauseMsMax, limits.pauseMsMin * 2 ** (attempt - 1));
    const waitMs = Math.max(outcome.afterMs, longest * (0.5 + Math.random() / 2));
    await pause(waitMs, undefined, { signal });
  }
}

type Attempt = EndpointOutcome | { readonly kind: 'RETRY'; readonly reason: string; readonly afterMs: number };

async function tryOnce(request: EndpointRequest, signal: AbortSignal, limits: EndpointLimits): Promise<Attempt> {
  try {
    const response = await fetch(request.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: request.body,
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(limits.callMsMax)]),
    });
    const text = await readText(response, request.url);
    if (response.status === 429 || response.status >= 500) {
      return { kind: 'RETRY', reason: `status ${response.status}`, afterMs: retryAfterMs(response, limits) };
    }
    if (response.status >= 300 && response.status < 400) throw redirected(request.url, response);
    if (!response.ok) return { kind: 'REFUSED', message: refusal(response.status, text) };
    return { kind: 'ANSWERED', body: parsed(text, request.url) };
  } catch (error) {
    if (signal.aborted || IcecoreError.is(error)) throw error;
    return { kind: 'RETRY', reason: reasonOf(error), afterMs: 0 };
  }
}

function redirected(url: string, response: Response): IcecoreError {
  const target = response.headers.get('location') ?? 'nowhere';
  return new IcecoreError(
    'FAILED_PRECONDITION',
    `${url} redirects to ${target.slice(0, 200)}, which is not followed: register the model with the address that answers.`,
  );
}

async function readText(response: Response, url: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > endpointAnswerBytesMax) {
      throw new IcecoreError(
        'FAILED_PRECONDITION',
        `The answer of ${url} is over ${endpointAnswerBytesMax} bytes; use smaller batches.`,
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parsed(text: string, url: string): unknown {
  try {
    return parseJson(text);
  } catch (cause) {
    throw new IcecoreError('FAILED_PRECONDITION', `The answer of ${url} is no JSON.`, { cause });
  }
}

function refusal(status: number, text: string): string {
  let message = text;
  try {
    const body = JSON.parse(text) as Record<string, unknown> | null;
    const told = body?.error ?? body?.message;
    if (typeof told === 'string') message = told;
  } catch {
    // The text itself says what is wrong.
  }
  return `${status}: ${message.slice(0, 500)}`;
}

function retryAfterMs(response: Response, limits: EndpointLimits): number {
  const seconds = Number(response.headers.get('retry-after') ?? '0');
  return Number.isFinite(seconds) ? Math.min(limits.pauseMsMax, Math.max(0, seconds * 1000)) : 0;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
