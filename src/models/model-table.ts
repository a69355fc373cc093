import { type ActorCell, actorCell, actorOf, actorType } from '../access/actor-row.ts';
import type { LedgerTable } from '../ledger/ledger-table.ts';
import type { Model } from './model.ts';

export type ModelRow = {
  readonly name: string;
  readonly description: string | null;
  readonly owner: string | null;
  readonly risk_tier: string | null;
  readonly protected_aliases: readonly string[];
  readonly registered_at: bigint;
  readonly registered_by: ActorCell;
};

export const modelTable: LedgerTable<ModelRow> = {
  name: 'icecore.models',
  columns: [
    { name: 'name', type: 'string', required: true, doc: 'Unique.' },
    { name: 'description', type: 'string', required: false, doc: 'What it predicts.' },
    { name: 'owner', type: 'string', required: false, doc: 'Who answers for it.' },
    { name: 'risk_tier', type: 'string', required: false, doc: 'The organisation’s own classes of risk.' },
    {
      name: 'protected_aliases',
      type: 'list<string>',
      required: true,
      doc: 'Aliases that only an approved version may carry, moved by approvers.',
    },
    { name: 'registered_at', type: 'timestamptz', required: true, doc: 'When it was registered.' },
    { name: 'registered_by', type: actorType, required: true, doc: 'Who registered it.' },
  ],
  key: ['name'],
  mode: 'upsert',
  indexes: [['owner'], ['risk_tier']],
  subject: ({ name }) => modelSubject(name),
};

/** What guards and audit entries call a model. Its versions and aliases share the subject, so that changes to them take turns. */
export function modelSubject(model: string): string {
  return `model/${model}`;
}

export function modelRow(model: Model): ModelRow {
  return {
    name: model.name,
    description: model.description,
    owner: model.owner,
    risk_tier: model.riskTier,
    protected_aliases: model.protectedAliases,
    registered_at: model.registeredAtMicros,
    registered_by: actorCell(model.registeredBy),
  };
}

export function modelOf(row: ModelRow): Model {
  return {
    name: row.name,
    description: row.description,
    owner: row.owner,
    riskTier: row.risk_tier,
    protectedAliases: row.protected_aliases,
    registeredAtMicros: row.registered_at,
    registeredBy: actorOf(row.registered_by),
  };
}
