import { randomUUID } from 'node:crypto';
import { actorCell } from '../access/actor-row.ts';
import type { Caller } from '../access/caller.ts';
import type { ModelEventKind, ModelEventRow } from './model-event-table.ts';

/** What a step says of itself; the rest is null. */
export type ModelEventDetails = Partial<Omit<ModelEventRow, 'id' | 'model' | 'version' | 'kind' | 'at' | 'actor' | 'assurance'>>;

/** One step of a model's history, by this caller at this moment. `version` is null for a move of an alias. */
export function modelEvent(
  step: { readonly model: string; readonly version: number | null; readonly kind: ModelEventKind },
  caller: Caller,
  atMicros: bigint,
  details: ModelEventDetails,
): ModelEventRow {
  return {
    id: randomUUID(),
    model: step.model,
    version: step.version,
    kind: step.kind,
    at: atMicros,
    actor: actorCell(caller.actor),
    assurance: caller.assurance,
    comment: null,
    meaning: null,
    digest: null,
    key_id: null,
    signature: null,
    alias: null,
    from_version: null,
    to_version: null,
    ...details,
  };
}
