import { setImmediate as nextTurn } from 'node:timers/promises';
import { entriesLookedThroughMax, entriesLookedThroughMin } from '../limits.ts';
import type { Access } from './access.ts';

/**
 * A page of what the caller at hand may see of a list, full where there is that much: a short one would tell of what was left out. `read`
 * gives what comes after an item, from the page's own beginning where that is null.
 */
export async function visiblePage<Item>(
  access: Access,
  first: number,
  read: (after: Item | null, limit: number) => Promise<readonly Item[]>,
  visible: (items: readonly Item[]) => Promise<readonly Item[]>,
): Promise<readonly Item[]> {
  if (access.permissions.unrestricted) return await read(null, first);
  const found: Item[] = [];
  let size = Math.max(first, entriesLookedThroughMin);
  for (let after: Item | null = null; ; size = Math.max(first, Math.min(2 * size, entriesLookedThroughMax))) {
    const some: readonly Item[] = await read(after, size);
    found.push(...(await visible(some)));
    const last = some.at(-1);
    if (last === undefined || some.length < size || found.length >= first) return found.slice(0, first);
    after = last;
    // Reads of the index hold up the event loop: let others in between.
    await nextTurn();
  }
}
