import type { Caller } from '../access/caller.ts';
import { requireRole } from '../access/role.ts';
import { IcecoreError } from '../errors.ts';
import type { Model } from './model.ts';
import type { ModelChange } from './model-change.ts';
import { modelEvent } from './model-event.ts';
import type { ModelReader } from './model-reader.ts';
import { modelSubject } from './model-table.ts';

export interface AliasMove {
  readonly model: string;
  readonly alias: string;
  /** Null takes the alias away. */
  readonly version: number | null;
  /** Undefined where the caller does not care where it stands; null where it must not stand at all. */
  readonly expectedVersion?: number | null;
  readonly reason: string | null;
}

/**
 * A protected alias moves by an approver's hand and to an approved version only (semantics, section 3). Throws FORBIDDEN, NOT_FOUND,
 * FAILED_PRECONDITION, and CONFLICT where it does not stand at `expectedVersion`.
 */
export async function aliasMove(
  read: ModelReader,
  caller: Caller,
  move: AliasMove,
  nowMicros: bigint,
): Promise<ModelChange<{ readonly alias: string }>> {
  const model = await read.requireModel(move.model);
  await checkMove(read, caller, model, move);
  const from = await read.aliasTarget(move.model, move.alias);
  if (move.expectedVersion !== undefined && move.expectedVersion !== from) {
    throw new IcecoreError(
      'CONFLICT',
      `Alias "${move.alias}" of model "${move.model}" stands at ${from ?? 'no version'}, not at ${move.expectedVersion ?? 'none'}.`,
      { context: { version: from } },
    );
  }
  return {
    answer: { alias: move.alias },
    event: modelEvent({ model: move.model, version: null, kind: 'ALIAS' }, caller, nowMicros, {
      comment: move.reason,
      alias: move.alias,
      from_version: from,
      to_version: move.version,
    }),
    audit: { subject: modelSubject(move.model), payload: { alias: move.alias, from, to: move.version } },
  };
}

async function checkMove(read: ModelReader, caller: Caller, model: Model, move: AliasMove): Promise<void> {
  const isProtected = model.protectedAliases.includes(move.alias);
  if (isProtected) requireRole(caller, 'approver', `move the protected alias "${move.alias}"`);
  else requireRole(caller, 'scientist', 'move aliases');
  if (move.version === null) return;
  const version = await read.require(move.model, { number: move.version });
  if (!isProtected || version.status === 'APPROVED') return;
  throw new IcecoreError(
    'FAILED_PRECONDITION',
    `Alias "${move.alias}" of model "${move.model}" is protected: it moves to approved versions only, and version ${version.version} is ${version.status}.`,
    { context: { model: move.model, version: version.version, status: version.status } },
  );
}
