import type { Caller } from '../access/caller.ts';
import type { SigningKey } from '../audit/signing-key.ts';
import { IcecoreError } from '../errors.ts';
import { checkMayDecide, decisionBytes } from './decision.ts';
import type { DecisionKind, ModelDecision, ModelVersion } from './model.ts';
import type { ModelChange } from './model-change.ts';
import { modelEvent } from './model-event.ts';
import { statusAfter } from './transition.ts';
import { versionDigest } from './version-digest.ts';
import { versionSubject } from './version-registration.ts';

export interface Review {
  /** The digest of what the reviewer read. */
  readonly expectedDigest: string;
  readonly decision: DecisionKind;
  /** What the signature means, in the reviewer's words. */
  readonly meaning: string;
  readonly comment: string | null;
}

export interface ReviewContext {
  readonly signingKey: Pick<SigningKey, 'keyId' | 'sign'>;
  readonly allowLocalApproval: boolean;
  readonly nowMicros: bigint;
}

/** Throws BAD_USER_INPUT for a decision that does not say what it means. */
export function checkReview(review: Review): void {
  if (review.meaning.trim() !== '') return;
  throw new IcecoreError('BAD_USER_INPUT', 'A decision says what its signature means, such as "I approve its use for routing".');
}

/** The caller's decision, signed (semantics, section 3). Throws FORBIDDEN, FAILED_PRECONDITION, CONFLICT where the digest is another. */
export function reviewed(
  before: ModelVersion,
  caller: Caller,
  review: Review,
  context: ReviewContext,
): ModelChange<{ readonly version: number }> {
  checkMayDecide(caller, before, review.decision, context.allowLocalApproval);
  const status = statusAfter(before, review.decision);
  const digest = versionDigest(before);
  if (review.expectedDigest !== digest || before.digest !== digest) {
    throw new IcecoreError(
      'CONFLICT',
      `Version ${before.version} of model "${before.model}" has the digest ${digest}, not ${review.expectedDigest.slice(0, 80)}: read it again before you decide.`,
      { context: { digest } },
    );
  }
  const { keyId } = context.signingKey;
  const unsigned: Omit<ModelDecision, 'signature'> = {
    kind: review.decision,
    by: caller.actor,
    atMicros: context.nowMicros,
    meaning: review.meaning,
    comment: review.comment,
    digest,
    assurance: caller.assurance,
    keyId,
  };
  const signature = context.signingKey.sign(decisionBytes(before, unsigned));
  const version: ModelVersion = {
    ...before,
    status,
    ...(review.decision === 'APPROVE' ? { approvedBy: caller.actor, approvedAtMicros: context.nowMicros } : {}),
  };
  const { meaning, comment } = review;
  return {
    answer: { version: version.version },
    version,
    event: modelEvent({ ...version, kind: review.decision }, caller, context.nowMicros, {
      digest,
      comment,
      meaning,
      key_id: keyId,
      signature,
    }),
    audit: {
      subject: versionSubject(version),
      payload: {
        model: version.model,
        version: version.version,
        decision: review.decision,
        digest,
        meaning,
        assurance: caller.assurance,
        keyId,
        signature,
      },
    },
  };
}
