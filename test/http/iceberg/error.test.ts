import { describe, expect, it, vi } from 'vitest';
import { type ErrorCode, IcecoreError } from '../../../src/errors.ts';
import { errorAnswer } from '../../../src/http/iceberg/error.ts';

function answered(error: unknown, operation: string | null = 'loadTable') {
  const { status, headers, body } = errorAnswer(error, operation);
  const { type, code, message, ...rest } = JSON.parse(String(body)).error;
  expect([code, rest]).toEqual([status, {}]);
  return { status, type, message, headers };
}

describe('a failure as a REST client is told of it', () => {
  it('has the status and the type that clients know what to throw by', () => {
    const of = (code: ErrorCode, context: Readonly<Record<string, unknown>> = {}, operation?: string) => {
      const { status, type } = answered(new IcecoreError(code, 'No.', { context }), operation);
      return `${status} ${type}`;
    };
    expect(of('BAD_USER_INPUT')).toBe('400 BadRequestException');
    expect(of('UNAUTHENTICATED')).toBe('401 NotAuthorizedException');
    expect(of('FORBIDDEN')).toBe('403 ForbiddenException');
    expect(of('NOT_FOUND', { missing: 'table' })).toBe('404 NoSuchTableException');
    expect(of('NOT_FOUND', { missing: 'view' })).toBe('404 NoSuchViewException');
    expect(of('NOT_FOUND', { missing: 'namespace' })).toBe('404 NoSuchNamespaceException');
    expect(of('NOT_FOUND')).toBe('404 NotFoundException');
    expect(of('ALREADY_EXISTS')).toBe('409 AlreadyExistsException');
    expect(of('CONFLICT')).toBe('409 CommitFailedException');
    expect(of('PINNED')).toBe('409 CommitFailedException');
    expect(of('FAILED_PRECONDITION', { notEmpty: true })).toBe('409 NamespaceNotEmptyException');
    expect(of('OVERLOADED')).toBe('503 ServiceUnavailableException');
  });

  it('of a commit says whether it may have happened', () => {
    vi.spyOn(console, 'error').mockImplementation(() => undefined);
    for (const error of [
      new Error('the disk is gone'),
      new IcecoreError('TIMEOUT', 'Late.'),
      new IcecoreError('INTERNAL', 'Bug.'),
    ]) {
      const { status, type } = answered(error, 'updateTable');
      expect(status).toBeGreaterThanOrEqual(500);
      expect(type).toBe('CommitStateUnknownException');
    }
    // Nothing happened: clients take 503 of a commit as if it might have.
    const { status, headers } = answered(new IcecoreError('OVERLOADED', 'Full.'), 'updateTable');
    expect([status, headers?.['retry-after']]).toEqual([429, '1']);
    vi.restoreAllMocks();
  });

  it('does not send back what was sent without bound', () => {
    const { message } = answered(new IcecoreError('BAD_USER_INPUT', `The name ${'x'.repeat(100_000)} is too long.`));
    expect(message.length).toBeLessThan(5000);
    expect(message).toMatch(/^The name x+…x+ is too long\.$/);
  });

  it("of the server's own keeps to itself what it was", () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    const { status, type, message } = answered(new Error('secret at /var/lib'));
    expect([status, type]).toEqual([500, 'ServiceFailureException']);
    expect(message).not.toContain('secret');
    const reference = /under ([0-9a-f-]{36})\.$/.exec(message)?.[1];
    expect(String(log.mock.calls[0]?.[0])).toContain(reference);
    vi.restoreAllMocks();
  });
});
