import { readdirSync, readFileSync } from 'node:fs';
import { getOperationAST, getVariableValues, parse, validate } from 'graphql';
import { describe, expect, it } from 'vitest';
import { schema } from '../../schema/schema.ts';
import { queryCost } from '../../src/http/query-cost.ts';
import { queryCostMax, queryDepthMax } from '../../src/limits.ts';

const directory = new URL('../../schema/operations/', import.meta.url);

describe('the curated operations', () => {
  for (const name of readdirSync(directory)) {
    it(`${name} fits the schema, says what it is for, and may be run`, () => {
      const text = readFileSync(new URL(name, directory), 'utf8');
      expect(text).toMatch(/^# /);
      const document = parse(text);
      expect(validate(schema, document)).toEqual([]);
      const operation = getOperationAST(document);
      if (!operation) throw new Error('one operation a file');
      const variables = getVariableValues(schema, operation.variableDefinitions ?? [], {});
      const { cost, depth } = queryCost(schema, document, operation, variables.coerced ?? {});
      expect(cost).toBeLessThan(queryCostMax);
      expect(depth).toBeLessThanOrEqual(queryDepthMax);
    });
  }
});
