import { printIdentifier, type TableIdentifier } from '../iceberg/identifier.ts';
import type { ViewMetadata } from '../iceberg/view.ts';
import { requireReachableLocation } from '../storage/allowed-locations.ts';
import { requireUnclaimedLocation } from '../tables/location-claim.ts';
import type { Tables } from '../tables/tables.ts';

/**
 * Judges where a view that is created or changed wants its files: the location, and the directory that `write.metadata.path` names.
 * `base` is the view as it was. Throws FORBIDDEN outside the allowed locations or in a table's place, BAD_USER_INPUT for what is no location.
 */
export async function checkViewLocations(
  tables: Tables,
  identifier: TableIdentifier,
  metadata: ViewMetadata,
  base: ViewMetadata | null,
): Promise<void> {
  const { locations } = tables;
  if (locations === null) return;
  const of = `of the view ${printIdentifier(identifier)}`;
  const directory = metadata.properties['write.metadata.path'];
  for (const [place, before, what] of [
    [metadata.location, base?.location, `The location ${of}`],
    [directory, base?.properties['write.metadata.path'], `The property write.metadata.path ${of}`],
  ] as const) {
    if (place === undefined || place === before) continue;
    await requireReachableLocation(locations, place, what);
    await requireUnclaimedLocation(tables, identifier, metadata.viewUuid, place);
  }
}
