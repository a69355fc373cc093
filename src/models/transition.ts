import { IcecoreError } from '../errors.ts';
import type { DecisionKind, ModelVersion, ModelVersionStatus } from './model.ts';

const submittable: readonly ModelVersionStatus[] = ['DRAFT'];

const decisions: Readonly<
  Record<DecisionKind, { readonly from: readonly ModelVersionStatus[]; readonly to: ModelVersionStatus }>
> = {
  APPROVE: { from: ['SUBMITTED', 'SUSPENDED'], to: 'APPROVED' },
  REJECT: { from: ['SUBMITTED'], to: 'REJECTED' },
  SUSPEND: { from: ['APPROVED'], to: 'SUSPENDED' },
  RETIRE: { from: ['APPROVED', 'SUSPENDED'], to: 'RETIRED' },
};

/** Throws FAILED_PRECONDITION where a version in this status cannot be submitted (semantics, section 3). */
export function checkSubmittable(version: ModelVersion): void {
  if (!submittable.includes(version.status)) throw refused(version, 'submitted', submittable);
}

/** The status that a decision leads to. Throws FAILED_PRECONDITION where the version's status does not allow it. */
export function statusAfter(version: ModelVersion, decision: DecisionKind): ModelVersionStatus {
  const { from, to } = decisions[decision];
  if (!from.includes(version.status)) throw refused(version, to.toLowerCase(), from);
  return to;
}

function refused(version: ModelVersion, verb: string, from: readonly ModelVersionStatus[]): IcecoreError {
  return new IcecoreError(
    'FAILED_PRECONDITION',
    `Version ${version.version} of model "${version.model}" is ${version.status}; only one that is ${from.join(' or ')} can be ${verb}.`,
    { context: { model: version.model, version: version.version, status: version.status } },
  );
}
