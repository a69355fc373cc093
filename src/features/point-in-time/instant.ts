import type { Type } from '../../iceberg/type.ts';
import type { FeatureJoin, Spine } from './plan.ts';

/** The unit in which the times of one join are compared. Nanoseconds go beyond 64 bits where dates are far, so they are HUGEINT. */
export type InstantUnit = 'micros' | 'nanos';

const temporal: ReadonlySet<Type> = new Set<Type>(['date', 'timestamp', 'timestamptz', 'timestamp_ns', 'timestamptz_ns']);
const nanosecond: ReadonlySet<Type> = new Set<Type>(['timestamp_ns', 'timestamptz_ns']);

export function isInstantType(type: Type): boolean {
  return temporal.has(type);
}

/** Microseconds unless one of the times has nanoseconds: nothing is rounded (semantics, section 1). */
export function instantUnit(spine: Spine, join: FeatureJoin): InstantUnit {
  const types = [spine.eventTime.type, join.eventTime.type, ...(join.knownTime === null ? [] : [join.knownTime.type])];
  return types.some((type) => nanosecond.has(type)) ? 'nanos' : 'micros';
}

/**
 * A time as an integer since the epoch, in `unit`: a date as its midnight, a timestamp without a zone as UTC. Null for null.
 * DuckDB's infinities, which are what the ends of a long read as, stay the ends of the order.
 */
export function instantSql(expression: string, type: Type, unit: InstantUnit): string {
  if (nanosecond.has(type)) {
    if (unit === 'micros') throw new TypeError('Nanoseconds are never compared as microseconds.');
    return `epoch_ns(${expression})::HUGEINT`;
  }
  const micros = `CASE WHEN isfinite(${expression}) THEN epoch_us(${expression}) WHEN ${expression} > DATE '1970-01-01' THEN 9223372036854775807 WHEN ${expression} IS NOT NULL THEN -9223372036854775807 END`;
  return unit === 'micros' ? micros : `(${micros})::HUGEINT * 1000`;
}

/** A duration in the unit of a join, for arithmetic that must not overflow. */
export function durationSql(micros: bigint, unit: InstantUnit): string {
  return `${unit === 'nanos' ? micros * 1000n : micros}::HUGEINT`;
}
