import type { ServerResponse } from 'node:http';
import { problemOf, statusOf } from './problem.ts';

export function answerJson(res: ServerResponse, status: number, value: unknown): void {
  const body = Buffer.from(`${JSON.stringify(value)}\n`);
  res.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': body.byteLength,
    'x-content-type-options': 'nosniff',
  });
  res.end(body);
}

/** A failure outside GraphQL, in the shape of a GraphQL answer, so that clients need one way to read errors. */
export function answerProblem(res: ServerResponse, error: unknown, status?: number): void {
  const { code, message, context } = problemOf(error);
  if (res.headersSent) {
    res.destroy();
    return;
  }
  if (code === 'UNAUTHENTICATED') res.setHeader('www-authenticate', 'Bearer');
  answerJson(res, status ?? statusOf(code), { errors: [{ message, extensions: { code, ...context } }] });
}
