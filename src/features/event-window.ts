import { floorDiv } from '../iceberg/calendar.ts';
import type { Expression } from '../iceberg/expression.ts';
import type { NestedField } from '../iceberg/type.ts';
import { quoteIdentifier } from '../sql/quote.ts';
import { instantSql } from './point-in-time/instant.ts';

/** A window of event time: from inclusive, to exclusive; null for no beginning. */
export interface EventWindow {
  readonly fromMicros: bigint | null;
  readonly toMicros: bigint;
}

const dayMicros = 86_400_000_000n;

/** Whether a row's event time lies in the window, as SQL over `column`; null for a row without one. */
export function inWindowSql(column: NestedField, { fromMicros, toMicros }: EventWindow): string {
  const isNanos = typeof column.type === 'string' && column.type.endsWith('_ns');
  const instant = `(${instantSql(quoteIdentifier(column.name), column.type, isNanos ? 'nanos' : 'micros')})`;
  const bound = (micros: bigint) => `${isNanos ? micros * 1000n : micros}::HUGEINT`;
  const until = `${instant} < ${bound(toMicros)}`;
  return fromMicros === null ? `(${until})` : `(${instant} >= ${bound(fromMicros)} AND ${until})`;
}

/** The same as a predicate for pruning files, in the column's own unit. */
export function inWindow(column: NestedField, { fromMicros, toMicros }: EventWindow): Expression {
  const unit = (micros: bigint): bigint => {
    // A date counts as its midnight: the first one at or after the moment.
    if (column.type === 'date') return floorDiv(micros + dayMicros - 1n, dayMicros);
    return typeof column.type === 'string' && column.type.endsWith('_ns') ? micros * 1000n : micros;
  };
  const until: Expression = { op: 'lt', column: column.name, literal: unit(toMicros) };
  if (fromMicros === null) return until;
  return { op: 'and', left: { op: 'gt-eq', column: column.name, literal: unit(fromMicros) }, right: until };
}
