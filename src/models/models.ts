import type { Call } from '../access/call.ts';
import { requireRole } from '../access/role.ts';
import type { SigningKey } from '../audit/signing-key.ts';
import { type AliasMove, aliasMove } from './alias-move.ts';
import type { Model, ModelAlias, ModelVersion } from './model.ts';
import { ModelChanges, type ModelChangesOptions } from './model-change.ts';
import { checkName } from './model-input.ts';
import { ModelReader, type ModelVersionSelector } from './model-reader.ts';
import { checkModelDescription, type ModelDescription, modelRegistration, modelUpdate } from './model-registration.ts';
import { checkReview, type Review, reviewed } from './review.ts';
import { submission } from './submission.ts';
import {
  checkNewVersion,
  type LineageDrafts,
  type NewModelVersion,
  type TrainingSource,
  versionRegistration,
} from './version-registration.ts';

export interface ModelsOptions extends ModelChangesOptions {
  readonly lineage: LineageDrafts;
  readonly training: TrainingSource;
  readonly signingKey: Pick<SigningKey, 'keyId' | 'sign'>;
  /** Whether a server that checks no identities may approve (`--allow-local-approval`). */
  readonly allowLocalApproval: boolean;
}

/** The registry: every step an appended row, and who may take it (semantics, section 3). */
export class Models {
  readonly read: ModelReader;
  readonly #options: ModelsOptions;
  readonly #changes: ModelChanges;

  constructor(options: ModelsOptions) {
    this.#options = options;
    this.#changes = new ModelChanges(options);
    this.read = new ModelReader(options.ledger, options.tables);
  }

  /** Throws ALREADY_EXISTS, BAD_USER_INPUT, FORBIDDEN. */
  async register(call: Call, input: ModelDescription): Promise<Model> {
    requireRole(call.caller, 'scientist', 'register models');
    checkModelDescription(input);
    const { name } = await this.#changes.make(call, 'registerModel', input.name, () =>
      modelRegistration(this.read, call.caller, input, this.#nowMicros()),
    );
    return await this.read.requireModel(name);
  }

  /** Members left out stay as they are. Throws NOT_FOUND, BAD_USER_INPUT, FORBIDDEN. */
  async update(call: Call, input: ModelDescription): Promise<Model> {
    requireRole(call.caller, 'scientist', 'change models');
    checkModelDescription(input);
    const { name } = await this.#changes.make(call, 'updateModel', input.name, () => modelUpdate(this.read, call.caller, input));
    return await this.read.requireModel(name);
  }

  /** A new version, DRAFT; its training snapshot is pinned in the same commit. Throws NOT_FOUND, BAD_USER_INPUT, FORBIDDEN. */
  async registerVersion(call: Call, input: NewModelVersion): Promise<ModelVersion> {
    requireRole(call.caller, 'scientist', 'register model versions');
    checkNewVersion(input);
    const { tables, training, lineage } = this.#options;
    const answer = await this.#changes.make(call, 'registerModelVersion', input.model, () =>
      versionRegistration({ read: this.read, tables, training, lineage, nowMicros: this.#nowMicros() }, call.caller, input),
    );
    return await this.read.require(input.model, { number: answer.version });
  }

  /** DRAFT to SUBMITTED. Throws NOT_FOUND, FAILED_PRECONDITION, FORBIDDEN. */
  async submit(call: Call, model: string, selector: ModelVersionSelector, comment: string | null): Promise<ModelVersion> {
    requireRole(call.caller, 'scientist', 'submit model versions');
    const answer = await this.#changes.make(call, 'submitModelVersion', model, async () =>
      submission(await this.read.require(model, selector), call.caller, comment, this.#nowMicros()),
    );
    return await this.read.require(model, { number: answer.version });
  }

  /** A decision of the caller, signed. Throws CONFLICT where the digest is another, FAILED_PRECONDITION, FORBIDDEN, NOT_FOUND. */
  async review(call: Call, model: string, selector: ModelVersionSelector, review: Review): Promise<ModelVersion> {
    checkReview(review);
    const { signingKey, allowLocalApproval } = this.#options;
    const answer = await this.#changes.make(call, 'reviewModelVersion', model, async () =>
      reviewed(await this.read.require(model, selector), call.caller, review, {
        signingKey,
        allowLocalApproval,
        nowMicros: this.#nowMicros(),
      }),
    );
    return await this.read.require(model, { number: answer.version });
  }

  /**
   * Moves an alias, or takes it away; null then. A protected one moves by an approver's hand and to an approved version only. Throws
   * CONFLICT where it does not stand at `expectedVersion`, FAILED_PRECONDITION, FORBIDDEN, NOT_FOUND.
   */
  async setAlias(call: Call, move: AliasMove): Promise<ModelAlias | null> {
    checkName(move.alias, 'An alias');
    await this.#changes.make(call, 'setModelAlias', move.model, () => aliasMove(this.read, call.caller, move, this.#nowMicros()));
    return (await this.read.aliases(move.model)).find(({ name }) => name === move.alias) ?? null;
  }

  #nowMicros(): bigint {
    return this.#options.clock.nowMicros();
  }
}
