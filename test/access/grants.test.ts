import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Access } from '../../src/access/access.ts';
import type { Caller } from '../../src/access/caller.ts';
import type { Grant } from '../../src/access/grant.ts';
import { loadGrants, parseGrants } from '../../src/access/grants.ts';
import { localCaller } from '../../src/access/local-caller.ts';
import {
  everything,
  mayRead,
  mayReadNamespace,
  mayWrite,
  mayWriteNamespace,
  nothing,
  permissionsOf,
} from '../../src/access/permissions.ts';
import { parseIdentifier } from '../../src/iceberg/identifier.ts';

const grants = (...list: readonly object[]): readonly Grant[] => parseGrants(JSON.stringify(list), 'grants');
const caller = (id: string): Caller => ({
  actor: { id, name: null, kind: 'HUMAN' },
  roles: new Set(['admin']),
  assurance: 'CREDENTIAL',
});

describe('what a grant covers', () => {
  const list = grants(
    { subject: 'dana', on: 'features', may: 'read' },
    { subject: 'dana', on: 'features.daily', may: 'write' },
    { subject: 'dana', on: '"a.b".t', may: 'read' },
    { subject: 'vera', on: '*', may: 'write' },
    { subject: '*', on: 'open.table', may: 'read' },
    { subject: 'aude', on: 'icecore', may: 'read' },
  );
  const reads = (id: string, name: string): boolean => mayRead(permissionsOf(list, caller(id)), parseIdentifier(name));
  const writes = (id: string, name: string): boolean => mayWrite(permissionsOf(list, caller(id)), parseIdentifier(name));

  test('a namespace covers all at and below it, a table itself, and nothing beside them', () => {
    expect(['features.daily', 'features.x.y', 'features."x.y"', '"a.b".t'].map((name) => reads('dana', name))).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect(['featuresx.t', 'raw.features', 'a.b.t', '"a.b".u', 'Features.daily'].map((name) => reads('dana', name))).toEqual(
      Array(5).fill(false),
    );
    expect(['features.daily', 'features.other'].map((name) => writes('dana', name))).toEqual([true, false]);
  });

  test('each subject has their own, and those of everybody with a key', () => {
    expect(reads('nobody', 'features.daily')).toBe(false);
    expect(['dana', 'vera', 'nobody'].map((id) => reads(id, 'open.table'))).toEqual([true, true, true]);
    expect(mayRead(nothing, parseIdentifier('open.table'))).toBe(false);
    // One whose identity nobody checked is not known by a key.
    expect(mayRead(permissionsOf(list, localCaller), parseIdentifier('open.table'))).toBe(false);
  });

  test('all is all but what Icecore itself writes, which nobody else may', () => {
    expect([reads('vera', 'raw.t'), writes('vera', 'raw.t')]).toEqual([true, true]);
    expect([reads('vera', 'icecore.runs'), writes('vera', 'icecore.runs')]).toEqual([false, false]);
    expect([reads('aude', 'icecore.runs'), writes('aude', 'icecore.runs')]).toEqual([true, false]);
  });

  test('a namespace shows where something in it may be read, and is changed by who may write in all of it', () => {
    const dana = permissionsOf(list, caller('dana'));
    expect(
      [['features'], ['features', 'x'], ['open'], ['a.b'], ['raw'], []].map((parts) => mayReadNamespace(dana, parts)),
    ).toEqual([true, true, true, true, false, true]);
    expect([['features'], ['features', 'daily'], ['open']].map((parts) => mayWriteNamespace(dana, parts))).toEqual([
      false,
      true,
      false,
    ]);
  });
});

describe('laws', () => {
  const part = fc.constantFrom('a', 'b', 'icecore', 'a.b');
  const parts = fc.array(part, { minLength: 1, maxLength: 4 });
  const grant: fc.Arbitrary<Grant> = fc.record({
    subject: fc.constantFrom('dana', 'vera', null),
    on: fc.option(parts, { nil: null }),
    may: fc.constantFrom('read' as const, 'write' as const),
  });
  const table = fc.record({ namespace: fc.array(part, { minLength: 1, maxLength: 3 }), name: part });

  test('who may write may read, and a table that may be read shows its namespaces', () => {
    fc.assert(
      fc.property(fc.array(grant), table, (list, identifier) => {
        const dana = permissionsOf(list, caller('dana'));
        if (mayWrite(dana, identifier)) expect(mayRead(dana, identifier)).toBe(true);
        if (!mayRead(dana, identifier)) return;
        for (let depth = 0; depth <= identifier.namespace.length; depth++)
          expect(mayReadNamespace(dana, identifier.namespace.slice(0, depth))).toBe(true);
      }),
    );
  });

  test('fewer or narrower grants never show more', () => {
    fc.assert(
      fc.property(fc.array(grant), fc.nat(), parts, table, (list, at, below, identifier) => {
        const index = list.length === 0 ? 0 : at % list.length;
        const narrowed = list.map((each, place) => (place === index ? { ...each, on: [...(each.on ?? []), ...below] } : each));
        // Below `*` lies all but Icecore's own, which has to be named.
        const isNamed = list[index]?.on === null && below[0] === 'icecore';
        const [whole, fewer, narrower] = [list, list.filter((_, place) => place !== index), narrowed].map((each) =>
          permissionsOf(each, caller('dana')),
        );
        for (const may of [mayRead, mayWrite]) {
          const before = may(whole ?? nothing, identifier);
          if (may(fewer ?? nothing, identifier)) expect(before).toBe(true);
          if (!isNamed && may(narrower ?? nothing, identifier)) expect(before).toBe(true);
        }
      }),
    );
  });
});

describe('ICECORE_GRANTS', () => {
  test('what is malformed is refused by its place', async () => {
    const refusals: readonly (readonly [string, RegExp])[] = [
      ['{}', /must be a list/],
      ['[', /is not valid JSON/],
      ['[{"subject":"dana","on":"features"}]', /\[0\].*"may" is missing/],
      ['[{"subject":"dana","on":"features","may":"all"}]', /\[0\].*may/],
      ['[{"subject":"dana","on":"a..b","may":"read"}]', /\[0\].*"a\.\.b"/],
      ['[{"subject":"","on":"*","may":"read"}]', /\[0\].*"subject"/],
      ['[{"subject":"local","on":"*","may":"read"}]', /\[0\].*"local"/],
      ['[{"subject":"d","on":"*","may":"read"},{"subject":"d","on":"icecore.runs","may":"write"}]', /\[1\].*only Icecore writes/],
      ['[{"subject":"d","on":"*","may":"read","where":1}]', /\[0\].*"where" is not a member/],
    ];
    for (const [text, message] of refusals) expect(() => parseGrants(text, 'ICECORE_GRANTS'), text).toThrow(message);
    await expect(loadGrants('/nowhere/grants.json')).rejects.toThrow(/\/nowhere\/grants\.json/);
    expect(await loadGrants('[]')).toEqual([]);
    expect(await loadGrants(undefined)).toEqual([]);
  });
});

describe('for whom code works', () => {
  const access = Access.by(grants({ subject: 'dana', on: 'a', may: 'read' }));
  const seen = (): boolean => access.mayRead(parseIdentifier('a.t'));

  test('nobody sees anything until it is said for whom', async () => {
    expect([seen(), access.asNobody(seen), access.asServer(seen), access.asCaller(caller('dana'), seen)]).toEqual([
      false,
      false,
      true,
      true,
    ]);
    expect(access.asServer(() => access.asCaller(caller('vera'), seen))).toBe(false);
    expect(Access.unrestricted().permissions).toBe(everything);
  });

  test('two servers of one process do not mix', () => {
    const other = Access.by([]);
    expect(access.asServer(() => other.mayRead(parseIdentifier('a.t')))).toBe(false);
  });

  test('what is shared and was begun for one does not work for the other', async () => {
    let wake = () => {};
    const shared = access.asCaller(caller('dana'), () => new Promise<void>((resolve) => (wake = resolve)));
    const waiting = access.asCaller(caller('vera'), async () => {
      await shared;
      return seen();
    });
    access.asServer(() => wake());
    expect(await waiting).toBe(false);
  });

  test('a stream works for its caller, whoever pulls it', async () => {
    async function* steps(): AsyncGenerator<boolean> {
      for (;;) yield seen();
    }
    const bare = access.asCaller(caller('dana'), () => steps());
    // What the wrapping is for: the code behind `next` runs where `next` is called.
    expect((await bare.next()).value).toBe(false);
    const stream = access.streamAsCaller(caller('dana'), steps());
    const pulled = [await stream.next(), await access.asServer(() => stream.next()), await access.asNobody(() => stream.next())];
    expect(pulled.map(({ value }) => value)).toEqual([true, true, true]);
    const vera = access.streamAsCaller(caller('vera'), steps());
    expect((await access.asServer(() => vera.next())).value).toBe(false);
    expect(await stream.return?.()).toEqual({ done: true, value: undefined });
  });
});
