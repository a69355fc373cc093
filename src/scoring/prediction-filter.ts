import { IcecoreError } from '../errors.ts';
import type { Expression, UnboundLiteral } from '../iceberg/expression.ts';
import { fieldByName, type Schema } from '../iceberg/schema.ts';
import type { Type } from '../iceberg/type.ts';
import { printTypeText } from '../iceberg/type-text.ts';
import type { PredictionsLayout } from './predictions-table.ts';

/** Which predictions are wanted; what is left out or null does not narrow. */
export interface PredictionFilter {
  /** Some or all of the entity keys, in the contract's JSON forms. */
  readonly entity?: unknown;
  readonly model?: string | null | undefined;
  readonly version?: number | null | undefined;
  readonly runId?: string | null | undefined;
  /** Inclusive. */
  readonly asOfFromMicros?: bigint | null | undefined;
  /** Exclusive. */
  readonly asOfToMicros?: bigint | null | undefined;
  readonly predictionId?: string | null | undefined;
}

/** The filter over a predictions table's columns: prunes its files and filters its rows. Throws BAD_USER_INPUT for what is no entity. */
export function predictionExpression(filter: PredictionFilter, layout: PredictionsLayout, schema: Schema): Expression {
  const all: Expression[] = entityExpressions(filter.entity, layout, schema);
  const add = (op: 'eq' | 'gt-eq' | 'lt', column: string, literal: UnboundLiteral | null | undefined) => {
    if (literal !== null && literal !== undefined) all.push({ op, column, literal });
  };
  add('eq', 'model_name', filter.model);
  add('eq', 'model_version', filter.version);
  add('eq', 'run_id', filter.runId);
  add('eq', 'prediction_id', filter.predictionId);
  add('gt-eq', 'as_of', filter.asOfFromMicros);
  add('lt', 'as_of', filter.asOfToMicros);
  return all.reduce((left, right): Expression => ({ op: 'and', left, right }), { op: 'true' });
}

function entityExpressions(entity: unknown, { entityKeys }: PredictionsLayout, schema: Schema): Expression[] {
  if (entity === null || entity === undefined) return [];
  if (typeof entity !== 'object' || Array.isArray(entity)) {
    throw new IcecoreError('BAD_USER_INPUT', `An entity is an object of its keys, ${entityKeys.join(', ')}.`);
  }
  return Object.entries(entity).map(([column, value]: [string, unknown]): Expression => {
    const field = fieldByName(schema, column);
    if (!entityKeys.includes(column) || field === undefined) {
      throw new IcecoreError(
        'BAD_USER_INPUT',
        `"${column}" is no entity key of these predictions; they have ${entityKeys.join(', ')}.`,
      );
    }
    return value === null ? { op: 'is-null', column } : { op: 'eq', column, literal: literalOf(value, field.type, column) };
  });
}

/** A value in the contract's JSON forms as the text of a predicate would have it. */
function literalOf(value: unknown, type: Type, column: string): UnboundLiteral {
  if (typeof type === 'string') {
    if (type === 'binary' || type.startsWith('fixed')) return Buffer.from(String(value), 'base64').toString('hex');
    const isInteger = type === 'int' || type === 'long';
    if (isInteger && typeof value === 'string' && /^-?\d{1,19}$/.test(value)) return BigInt(value);
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint')
      return value;
  }
  throw new IcecoreError(
    'BAD_USER_INPUT',
    `${JSON.stringify(value)} is no value of the entity key "${column}", which is ${printTypeText(type)}.`,
  );
}
