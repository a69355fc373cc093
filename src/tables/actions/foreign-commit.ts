import { IcecoreError } from '../../errors.ts';
import { refByName, snapshotById, type TableMetadata } from '../../iceberg/metadata.ts';
import { snapshotManifests } from '../../iceberg/snapshot-manifests.ts';
import type { TableRequirement, TableUpdate } from '../../iceberg/table-update.ts';
import { pinsOf, refuseLostPins, refuseReservedRef } from '../pin.ts';
import { definitionProperties } from '../shown-metadata.ts';
import type { ActionContext, TableAction } from '../table-action.ts';

/** A commit as a client of the REST protocol asks for it: what must still hold, and what is to change. */
export interface ForeignCommit {
  readonly requirements: readonly TableRequirement[];
  readonly updates: readonly TableUpdate[];
}

/**
 * The commit of another engine to a table that exists. Its requirements are checked on the metadata it is applied to, so a race that
 * another commit won is repeated where they still hold. Throws CONFLICT where they do not or its snapshot is late, BAD_USER_INPUT for
 * updates that can never be made or names that are kept for pins, and PINNED where it would take away a pin or what one holds.
 */
export function foreignCommit({ requirements, updates }: ForeignCommit): TableAction {
  return {
    name: 'commit',
    apply: async (base, context) => {
      await refusePinnedSpecs(base, updates, context);
      return { requirements, updates };
    },
    verify: (before, after) => {
      refuseLostPins(before, after);
      refuseChangedDefinition(before, after);
      for (const name of Object.keys(after.refs)) if (refByName(before, name) === undefined) refuseReservedRef(name);
    },
  };
}

/** Throws PINNED where a partition spec would go by which a pinned snapshot is read. */
async function refusePinnedSpecs(
  base: TableMetadata,
  updates: readonly TableUpdate[],
  { read }: Pick<ActionContext, 'read'>,
): Promise<void> {
  const removed = new Set(updates.flatMap((update) => (update.action === 'remove-partition-specs' ? update.specIds : [])));
  if (removed.size === 0) return;
  for (const tag of pinsOf(base).keys()) {
    const ref = refByName(base, tag);
    const snapshot = ref === undefined ? undefined : snapshotById(base, ref.snapshotId);
    const manifests = snapshot === undefined ? [] : await snapshotManifests(snapshot, base, read);
    const user = manifests.find(({ partitionSpecId }) => removed.has(partitionSpecId));
    if (user === undefined) continue;
    throw new IcecoreError(
      'PINNED',
      `Partition spec ${user.partitionSpecId} cannot be removed: the snapshot that ${tag} pins has it.`,
      {
        context: { pins: [tag] },
      },
    );
  }
}

/** Icecore alone knows what a definition reads, by which it is judged who sees it; and whoever computes it reads in their own name. */
function refuseChangedDefinition(before: TableMetadata, after: TableMetadata): void {
  const changed = definitionProperties.find((name) => before.properties[name] !== after.properties[name]);
  if (changed !== undefined) throw ownProperty(changed);
}

/** Throws BAD_USER_INPUT where a table that a client makes would begin with what Icecore alone gives: a definition, or refs named as pins. */
export function refuseOwnBeginning({ properties, refs }: Pick<TableMetadata, 'properties' | 'refs'>): void {
  const own = definitionProperties.find((name) => Object.hasOwn(properties, name));
  if (own !== undefined) throw ownProperty(own);
  for (const name of Object.keys(refs)) refuseReservedRef(name);
}

function ownProperty(name: string): IcecoreError {
  return new IcecoreError(
    'BAD_USER_INPUT',
    `The property ${name} is Icecore's own: it changes with the definition, by updateFeatureTable.`,
    { context: { property: name } },
  );
}

/**
 * Whether the commit creates its table (`assert-create`). Throws BAD_USER_INPUT where it requires something else too, which could
 * not be said of a table that does not exist; the reference refuses that as well.
 */
export function isCreation({ requirements }: ForeignCommit): boolean {
  if (!requirements.some(({ type }) => type === 'assert-create')) return false;
  const others = requirements.filter(({ type }) => type !== 'assert-create');
  if (others.length === 0) return true;
  throw new IcecoreError(
    'BAD_USER_INPUT',
    `Invalid create requirements: ${others.map(({ type }) => type).join(', ')} cannot be said of a table that is created.`,
  );
}
