import type { Caller } from '../access/caller.ts';
import { requireRole } from '../access/role.ts';
import { IcecoreError } from '../errors.ts';
import type { Model } from './model.ts';
import type { ModelChange } from './model-change.ts';
import { checkName } from './model-input.ts';
import type { ModelReader } from './model-reader.ts';
import { modelSubject } from './model-table.ts';

/** Members that are left out are null in a new model, and stay as they are in one that is changed. */
export interface ModelDescription {
  readonly name: string;
  readonly description?: string | null;
  readonly owner?: string | null;
  readonly riskTier?: string | null;
  /** `champion` alone where left out of a new model. */
  readonly protectedAliases?: readonly string[] | null;
}

const protectedAliasesDefault: readonly string[] = ['champion'];
const protectedAliasesMax = 100;

/** Throws BAD_USER_INPUT for names that cannot be. */
export function checkModelDescription({ name, protectedAliases }: ModelDescription): void {
  checkName(name, "A model's name");
  for (const alias of protectedAliases ?? []) checkName(alias, 'An alias');
  if ((protectedAliases?.length ?? 0) <= protectedAliasesMax) return;
  throw new IcecoreError('BAD_USER_INPUT', `A model has at most ${protectedAliasesMax} protected aliases.`);
}

/** Throws ALREADY_EXISTS. */
export async function modelRegistration(
  read: ModelReader,
  caller: Caller,
  input: ModelDescription,
  nowMicros: bigint,
): Promise<ModelChange<{ readonly name: string }>> {
  if (await read.isTaken(input.name)) {
    throw new IcecoreError(
      'ALREADY_EXISTS',
      `Model "${input.name}" is registered already; change it with updateModel, or give it a new version with registerModelVersion.`,
      { context: { model: input.name } },
    );
  }
  return described({
    name: input.name,
    description: input.description ?? null,
    owner: input.owner ?? null,
    riskTier: input.riskTier ?? null,
    protectedAliases: [...new Set(input.protectedAliases ?? protectedAliasesDefault)],
    registeredAtMicros: nowMicros,
    registeredBy: caller.actor,
  });
}

/** Throws NOT_FOUND, and FORBIDDEN where one who is no approver takes the protection off an alias. */
export async function modelUpdate(
  read: ModelReader,
  caller: Caller,
  input: ModelDescription,
): Promise<ModelChange<{ readonly name: string }>> {
  const before = await read.requireModel(input.name);
  const protectedAliases = [...new Set(input.protectedAliases ?? before.protectedAliases)];
  // Taking the protection off is the same power as moving the alias.
  if (before.protectedAliases.some((alias) => !protectedAliases.includes(alias))) {
    requireRole(caller, 'approver', 'take the protection off an alias');
  }
  return described({
    ...before,
    description: input.description ?? before.description,
    owner: input.owner ?? before.owner,
    riskTier: input.riskTier ?? before.riskTier,
    protectedAliases,
  });
}

function described(model: Model): ModelChange<{ readonly name: string }> {
  const { name, riskTier, protectedAliases } = model;
  return { answer: { name }, model, audit: { subject: modelSubject(name), payload: { riskTier, protectedAliases } } };
}
