import type { Caller } from '../access/caller.ts';
import type { ModelVersion } from './model.ts';
import type { ModelChange } from './model-change.ts';
import { modelEvent } from './model-event.ts';
import { checkSubmittable } from './transition.ts';
import { versionSubject } from './version-registration.ts';

/** DRAFT to SUBMITTED; who submits becomes an author. Throws FAILED_PRECONDITION where it is no draft. */
export function submission(
  before: ModelVersion,
  caller: Caller,
  comment: string | null,
  nowMicros: bigint,
): ModelChange<{ readonly version: number }> {
  checkSubmittable(before);
  const version: ModelVersion = {
    ...before,
    status: 'SUBMITTED',
    submittedBy: caller.actor,
    authors: [...new Set([...before.authors, caller.actor.id])],
  };
  const { digest } = version;
  return {
    answer: { version: version.version },
    version,
    event: modelEvent({ ...version, kind: 'SUBMIT' }, caller, nowMicros, { digest, comment }),
    audit: { subject: versionSubject(version), payload: { model: version.model, version: version.version, digest } },
  };
}
