import { type ActorCell, actorOf, actorType } from '../access/actor-row.ts';
import type { LedgerTable } from '../ledger/ledger-table.ts';
import type { Assurance, DecisionKind, ModelAliasChange, ModelDecision } from './model.ts';
import { modelSubject } from './model-table.ts';

/** `REGISTER` and `SUBMIT` of a version, a decision on it, or `ALIAS`: an alias of the model moved. */
export type ModelEventKind = 'REGISTER' | 'SUBMIT' | 'ALIAS' | DecisionKind;

export type ModelEventRow = {
  readonly id: string;
  readonly model: string;
  readonly version: number | null;
  readonly kind: string;
  readonly at: bigint;
  readonly actor: ActorCell;
  readonly comment: string | null;
  readonly meaning: string | null;
  readonly digest: string | null;
  readonly assurance: string;
  readonly key_id: string | null;
  readonly signature: string | null;
  readonly alias: string | null;
  readonly from_version: number | null;
  readonly to_version: number | null;
};

export const modelEventTable: LedgerTable<ModelEventRow> = {
  name: 'icecore.model_events',
  columns: [
    { name: 'id', type: 'string', required: true, doc: 'Unique.' },
    { name: 'model', type: 'string', required: true, doc: 'The model’s name.' },
    { name: 'version', type: 'int', required: false, doc: 'Null for a move of an alias.' },
    { name: 'kind', type: 'string', required: true, doc: 'REGISTER, SUBMIT, APPROVE, REJECT, SUSPEND, RETIRE or ALIAS.' },
    { name: 'at', type: 'timestamptz', required: true, doc: 'When.' },
    { name: 'actor', type: actorType, required: true, doc: 'Who.' },
    { name: 'comment', type: 'string', required: false, doc: 'Their words; for an alias the reason.' },
    { name: 'meaning', type: 'string', required: false, doc: 'What the signature of a decision means.' },
    { name: 'digest', type: 'string', required: false, doc: 'The version’s digest that was decided on.' },
    { name: 'assurance', type: 'string', required: true, doc: 'CREDENTIAL, or LOCAL where nobody checked who it was.' },
    { name: 'key_id', type: 'string', required: false, doc: 'The server’s key that signed the decision.' },
    { name: 'signature', type: 'string', required: false, doc: 'Over all the other fields of the decision, base64.' },
    { name: 'alias', type: 'string', required: false, doc: 'The alias that moved.' },
    { name: 'from_version', type: 'int', required: false, doc: 'Where it stood; null for nowhere.' },
    { name: 'to_version', type: 'int', required: false, doc: 'Where it went; null where it was taken away.' },
  ],
  key: ['id'],
  mode: 'append',
  indexes: [
    ['model', 'version'],
    ['model', 'alias', 'at'],
  ],
  subject: ({ model }) => modelSubject(model),
};

export const decisionKinds: readonly DecisionKind[] = ['APPROVE', 'REJECT', 'SUSPEND', 'RETIRE'];

export function decisionOf(row: ModelEventRow): ModelDecision {
  return {
    kind: row.kind as DecisionKind,
    by: actorOf(row.actor),
    atMicros: row.at,
    meaning: row.meaning ?? '',
    comment: row.comment,
    digest: row.digest ?? '',
    assurance: row.assurance as Assurance,
    keyId: row.key_id ?? '',
    signature: row.signature ?? '',
  };
}

export function aliasChangeOf(row: ModelEventRow): ModelAliasChange {
  return { from: row.from_version, to: row.to_version, atMicros: row.at, by: actorOf(row.actor), reason: row.comment };
}
