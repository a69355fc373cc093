import { builder } from './builder.ts';
import { PointInTimeOptions } from './refs.ts';
import { TableRef } from './tables.ts';

export const Boundary = builder.enumType('Boundary', {
  values: ['INCLUSIVE', 'EXCLUSIVE'] as const,
});

export const KnowledgeTime = builder.enumType('KnowledgeTime', {
  values: ['IGNORE', 'KNOWN_AT_EVENT'] as const,
});

export const TiePolicy = builder.enumType('TiePolicy', {
  values: ['ERROR', 'LAST_BY_SEQUENCE'] as const,
});

export const NullPolicy = builder.enumType('NullPolicy', {
  values: ['KEEP', 'LAST_NON_NULL'] as const,
});

builder.objectType(PointInTimeOptions, {
  fields: (t) => ({
    boundary: t.expose('boundary', { type: Boundary }),
    knowledge: t.expose('knowledge', { type: KnowledgeTime }),
    onTie: t.expose('onTie', { type: TiePolicy }),
    nulls: t.expose('nulls', { type: NullPolicy }),
    matchStatus: t.exposeBoolean('matchStatus'),
  }),
});

export const PointInTimeOptionsInput = builder.inputType('PointInTimeOptionsInput', {
  fields: (t) => ({
    boundary: t.field({ type: Boundary, defaultValue: 'INCLUSIVE' }),
    knowledge: t.field({ type: KnowledgeTime, defaultValue: 'IGNORE' }),
    onTie: t.field({ type: TiePolicy, defaultValue: 'ERROR' }),
    nulls: t.field({ type: NullPolicy, defaultValue: 'KEEP' }),
    matchStatus: t.boolean({ defaultValue: false }),
  }),
});

export const SpineSource = builder.inputType('SpineSource', {
  isOneOf: true,
  fields: (t) => ({
    table: t.field({ type: TableRef }),
    sql: t.string(),
  }),
});

export const SpineInput = builder.inputType('SpineInput', {
  description: 'Entities, moments and labels. Labels are named, so that none can be taken for a feature.',
  fields: (t) => ({
    source: t.field({ type: SpineSource, required: true }),
    eventTime: t.string({ required: true }),
    labels: t.field({ type: ['String'], defaultValue: [] }),
  }),
});
