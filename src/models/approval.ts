import { verifySignature } from '../audit/signing-key.ts';
import { IcecoreError } from '../errors.ts';
import { decisionBytes } from './decision.ts';
import type { ModelDecision, ModelVersion } from './model.ts';
import type { ModelReader } from './model-reader.ts';
import { versionDigest } from './version-digest.ts';

/**
 * The approval that a version stands on. Throws FAILED_PRECONDITION where it is not approved now, where anything that the approval was
 * bound to has changed since, or where none of these keys (PEM) signed it (semantics, section 3).
 */
export async function requireApproval(
  read: ModelReader,
  version: ModelVersion,
  publicKeys: readonly string[],
): Promise<ModelDecision> {
  const what = `version ${version.version} of model "${version.model}"`;
  const refuse = (why: string) =>
    new IcecoreError('FAILED_PRECONDITION', `The ${what} may not score: ${why}.`, {
      context: { model: version.model, version: version.version, status: version.status },
    });
  if (version.status !== 'APPROVED') throw refuse(`it is ${version.status}, and only an approved one may`);
  const decisions = await read.decisions(version.model, version.version);
  const approval = decisions.findLast(({ kind }) => kind === 'APPROVE');
  if (approval === undefined) throw refuse('no approval of it is recorded');
  const { signature, ...signed } = approval;
  const bytes = decisionBytes(version, signed);
  if (!publicKeys.some((key) => verifySignature(key, bytes, signature))) {
    throw refuse(`its approval is not signed by this server's key (it names ${approval.keyId})`);
  }
  const digest = versionDigest(version);
  if (digest !== approval.digest || digest !== version.digest) {
    throw refuse(`its content has the digest ${digest}, and ${approval.digest} was approved`);
  }
  return approval;
}
