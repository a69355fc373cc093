import type { Caller } from '../access/caller.ts';
import { requireRole } from '../access/role.ts';
import { IcecoreError } from '../errors.ts';
import { canonicalJson } from '../ledger/canonical-json.ts';
import type { DecisionKind, ModelDecision, ModelVersion } from './model.ts';

/** The bytes that the server signs: all fields of the decision but the signature itself, as canonical JSON. */
export function decisionBytes(
  version: Pick<ModelVersion, 'model' | 'version'>,
  decision: Omit<ModelDecision, 'signature'>,
): Uint8Array {
  const { kind, by, atMicros, meaning, comment, digest, assurance, keyId } = decision;
  return Buffer.from(
    canonicalJson({
      model: version.model,
      version: version.version,
      kind,
      by,
      atMicros,
      meaning,
      comment,
      digest,
      assurance,
      keyId,
    }),
  );
}

/**
 * Throws FORBIDDEN where this caller may not decide so on this version, FAILED_PRECONDITION on a server that checks no identities and was
 * not told to approve all the same (semantics, section 3).
 */
export function checkMayDecide(caller: Caller, version: ModelVersion, decision: DecisionKind, allowLocalApproval: boolean): void {
  requireRole(caller, 'approver', 'decide on model versions');
  if (caller.assurance === 'LOCAL' && !allowLocalApproval) {
    throw new IcecoreError(
      'FAILED_PRECONDITION',
      'This server runs without access control, so it cannot know who decides. Configure ICECORE_API_KEYS, or start it with --allow-local-approval.',
    );
  }
  // Owners may stop their own bad model: only an approval takes a second person.
  if (decision !== 'APPROVE') return;
  const what = `version ${version.version} of model "${version.model}"`;
  if (caller.assurance === 'LOCAL') return;
  if (caller.actor.kind !== 'HUMAN') {
    throw new IcecoreError('FORBIDDEN', `${caller.actor.id} is ${article(caller.actor.kind)}; only a human may approve ${what}.`);
  }
  if (version.authors.includes(caller.actor.id)) {
    throw new IcecoreError(
      'FORBIDDEN',
      `${caller.actor.id} is an author of ${what} and may not approve it; another approver has to.`,
      { context: { authors: version.authors } },
    );
  }
}

function article(kind: string): string {
  return kind === 'AGENT' ? 'an agent' : `a ${kind.toLowerCase()}`;
}
