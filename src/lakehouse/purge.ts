import { objectsRemovedAtOnce } from '../limits.ts';
import type { Storage } from '../storage/storage.ts';

/** Removes everything below a location. Repeated after a crash it removes what is left. */
export async function removeFilesBelow(storage: Storage, location: string): Promise<void> {
  let locations: string[] = [];
  for await (const object of storage.list(`${location.replace(/\/+$/, '')}/`)) {
    locations.push(object.location);
    if (locations.length < objectsRemovedAtOnce) continue;
    await storage.remove(locations);
    locations = [];
  }
  await storage.remove(locations);
}
