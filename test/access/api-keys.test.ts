import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ApiKeys } from '../../src/access/api-keys.ts';
import type { Caller, Role } from '../../src/access/caller.ts';
import { localCaller } from '../../src/access/local-caller.ts';
import { hasRole, requireRole } from '../../src/access/role.ts';
import { ManualClock } from '../../src/clock.ts';
import { parseTimestamp } from '../../src/iceberg/calendar.ts';

const clock = new ManualClock(parseTimestamp('2026-01-01T00:00:00Z', 'micros', true));
const ana = { key: 'ana-secret-1', subject: 'ana', kind: 'HUMAN', roles: ['scientist'] };
const load = (keys: unknown) => ApiKeys.load(JSON.stringify(keys), clock);

describe('API keys', () => {
  test('a key gives its caller', async () => {
    const keys = await load([{ ...ana, name: 'Ana Lee', expiresAt: '2026-01-01T00:00:00.000001Z' }]);
    expect(keys.inForce).toBe(true);
    expect(keys.authenticate('Bearer ana-secret-1')).toEqual({
      actor: { id: 'ana', name: 'Ana Lee', kind: 'HUMAN' },
      roles: new Set(['scientist']),
      assurance: 'CREDENTIAL',
    });
    expect(keys.authenticate('bearer  ana-secret-1 ').actor.id).toBe('ana');
  });

  test('from a file', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'icecore-keys-'));
    const path = join(directory, 'keys.json');
    await writeFile(path, JSON.stringify([ana]));
    expect((await ApiKeys.load(path, clock)).authenticate('Bearer ana-secret-1').actor.id).toBe('ana');
    await expect(ApiKeys.load(join(directory, 'none.json'), clock)).rejects.toThrow('none.json');
    await rm(directory, { recursive: true });
  });

  test('without keys everybody is LOCAL', async () => {
    for (const text of [undefined, '', '  ']) {
      const keys = await ApiKeys.load(text, clock);
      expect(keys.inForce).toBe(false);
      expect(keys.authenticate(null)).toBe(localCaller);
    }
  });

  test('an expired key is UNAUTHENTICATED from its very moment, with the date', async () => {
    const keys = await load([{ ...ana, expiresAt: '2026-01-01T01:00:00+01:00' }]);
    const attempt = () => keys.authenticate('Bearer ana-secret-1');
    expect(attempt).toThrow(expect.objectContaining({ code: 'UNAUTHENTICATED' }));
    expect(attempt).toThrow('The key expired on 2026-01-01T00:00:00Z');
  });

  test.each([null, undefined, '', 'Basic YTpi', 'Bearer ', 'Bearer wrong-secret', 'ana-secret-1'])(
    '%s is UNAUTHENTICATED',
    async (header) => {
      const keys = await load([ana]);
      expect(() => keys.authenticate(header)).toThrow(expect.objectContaining({ code: 'UNAUTHENTICATED' }));
    },
  );

  test.each([
    ['[', 'not valid JSON'],
    ['[]', 'at least one'],
    [JSON.stringify([ana, { ...ana, subject: 'bob' }]), 'the same key'],
    [JSON.stringify([ana, { ...ana, key: 'other-secret', kind: 'AGENT' }]), 'both'],
    [JSON.stringify([{ ...ana, roles: ['root'] }]), 'viewer, scientist, approver, admin'],
    [JSON.stringify([{ ...ana, roles: [] }]), 'roles'],
    [JSON.stringify([{ ...ana, kind: 'LOCAL' }]), 'HUMAN, SERVICE, AGENT'],
    [JSON.stringify([{ ...ana, subject: 'local' }]), 'subject'],
    [JSON.stringify([{ ...ana, key: 'short' }]), 'key'],
    [JSON.stringify([{ ...ana, role: 'viewer' }]), '"role"'],
    [JSON.stringify([{ ...ana, expiresAt: 'tomorrow' }]), 'tomorrow'],
  ])('%s is refused', async (text, message) => {
    await expect(ApiKeys.load(text, clock)).rejects.toThrow(message);
    // Whatever is wrong, the secret is not in the message.
    await expect(ApiKeys.load(text, clock)).rejects.not.toThrow('ana-secret-1');
  });
});

test('roles include reading; admin writes and never approves', () => {
  const caller = (...roles: Role[]): Caller => ({ ...localCaller, roles: new Set(roles) });
  const may = (...roles: Role[]) =>
    (['viewer', 'scientist', 'approver', 'admin'] as const).filter((role) => hasRole(caller(...roles), role));
  expect(may()).toEqual([]);
  expect(may('viewer')).toEqual(['viewer']);
  expect(may('scientist')).toEqual(['viewer', 'scientist']);
  expect(may('approver')).toEqual(['viewer', 'approver']);
  expect(may('admin')).toEqual(['viewer', 'scientist', 'admin']);
  expect(may('admin', 'approver')).toEqual(['viewer', 'scientist', 'approver', 'admin']);
  expect(() => requireRole(caller('viewer'), 'approver', 'approve models')).toThrow(
    expect.objectContaining({ code: 'FORBIDDEN' }),
  );
});
