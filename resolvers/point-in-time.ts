import type { TableAsOf } from '../src/training/feature-pins.ts';
import type { SpineInput as Spine } from '../src/training/spine-source.ts';
import type { PointInTimeOptions } from '../src/training/training-set.ts';
import { atPoint, type TableRefInput } from './as-of.ts';
import type { Given } from './input.ts';

type Options = PointInTimeOptions;

export interface PointInTimeOptionsInput {
  readonly boundary?: Given<Options['boundary']>;
  readonly knowledge?: Given<Options['knowledge']>;
  readonly onTie?: Given<Options['onTie']>;
  readonly nulls?: Given<Options['nulls']>;
  readonly matchStatus?: Given<boolean>;
}

export interface SpineInput {
  readonly source: { readonly table?: Given<TableRefInput>; readonly sql?: Given<string> };
  readonly eventTime: string;
  readonly labels?: Given<readonly string[]>;
}

/** The contract's defaults for what is left out. */
export function pointInTimeOptions(input: Given<PointInTimeOptionsInput>): PointInTimeOptions {
  return {
    boundary: input?.boundary ?? 'INCLUSIVE',
    knowledge: input?.knowledge ?? 'IGNORE',
    onTie: input?.onTie ?? 'ERROR',
    nulls: input?.nulls ?? 'KEEP',
    matchStatus: input?.matchStatus ?? false,
  };
}

export function tableAsOf({ name, asOf }: TableRefInput): TableAsOf {
  return { name, ...atPoint(asOf) };
}

export function spineOf({ source, eventTime, labels }: SpineInput): Spine {
  return {
    source: source.table == null ? { sql: source.sql ?? '' } : { table: tableAsOf(source.table) },
    eventTime,
    labels: labels ?? [],
  };
}
