import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AccessTokens } from '../../src/access/access-tokens.ts';
import type { ApiKey } from '../../src/access/api-key.ts';
import { sha256Bytes } from '../../src/access/key-digest.ts';
import { ManualClock } from '../../src/clock.ts';

const secret = new Uint8Array(32).fill(7);

function keyOf(text: string, expiresAtMicros: bigint | null = null): ApiKey {
  return { digest: sha256Bytes(text), subject: `of-${text}`, name: null, kind: 'SERVICE', roles: ['viewer'], expiresAtMicros };
}

describe('access tokens', () => {
  it('are known for a key while it is known, and by that key alone', () => {
    const [ada, bob] = [keyOf('ada'), keyOf('bob')];
    const clock = new ManualClock(0n);
    const { token, expiresInSeconds } = new AccessTokens(secret, [ada, bob], clock).issue(ada);
    expect(expiresInSeconds).toBe(3600);
    expect(new AccessTokens(secret, [bob, ada], clock).keyOf(token)).toBe(ada);
    expect(() => new AccessTokens(secret, [bob], clock).keyOf(token)).toThrow('no longer knows');
    const changed = new AccessTokens(new Uint8Array(32), [ada], clock);
    expect(() => changed.keyOf(token)).toThrow(expect.objectContaining({ code: 'UNAUTHENTICATED' }));
  });

  it('end with their key', () => {
    const clock = new ManualClock(0n);
    const tokens = new AccessTokens(secret, [keyOf('ada', 600_000_000n)], clock);
    const { token, expiresInSeconds } = tokens.issue(keyOf('ada', 600_000_000n));
    expect(expiresInSeconds).toBe(600);
    clock.advance(600_000_000n);
    expect(() => tokens.keyOf(token)).toThrow('has expired');
  });

  it('with any character changed are none', () => {
    const tokens = new AccessTokens(secret, [keyOf('ada')], new ManualClock(0n));
    const { token } = tokens.issue(keyOf('ada'));
    fc.assert(
      fc.property(fc.nat(token.length - 1), fc.constantFrom('A', 'b', '7', '-', '.', '='), (at, character) => {
        const changed = `${token.slice(0, at)}${character}${token.slice(at + 1)}`;
        fc.pre(changed !== token);
        // The last character of base64 holds bits that no byte has; text is compared, so those count too.
        expect(() => tokens.keyOf(changed)).toThrow(expect.objectContaining({ code: 'UNAUTHENTICATED' }));
      }),
    );
  });
});
