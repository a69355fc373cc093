import { readFileSync } from 'node:fs';
import { CriticalityLevel, diff } from '@graphql-inspector/core';
import { buildSchema } from 'graphql';
import { describe, expect, it } from 'vitest';
import { printedSchema } from '../../schema/print.ts';

const contract = buildSchema(readFileSync(new URL('./contract.graphql', import.meta.url), 'utf8'));

describe('the printed schema', () => {
  it('holds all of the contract, word for word', async () => {
    const changes = await diff(contract, buildSchema(printedSchema()));
    const additions = new Set([
      'FIELD_ADDED',
      'TYPE_ADDED',
      'FIELD_ARGUMENT_ADDED',
      'INPUT_FIELD_ADDED',
      'FIELD_DESCRIPTION_ADDED',
      'TYPE_DESCRIPTION_ADDED',
    ]);
    const missing = changes.filter(
      (change) => change.criticality.level === CriticalityLevel.Breaking || !additions.has(change.type),
    );
    expect(missing.map((change) => `${change.type}: ${change.message}`)).toEqual([]);
  });

  it('is the one that is checked in', () => {
    expect(readFileSync(new URL('../../schema/schema.graphql', import.meta.url), 'utf8')).toBe(printedSchema());
  });
});
