import { setImmediate as nextTurn } from 'node:timers/promises';
import type { TablePointer } from '../catalog/catalog.ts';
import { printIdentifier } from '../iceberg/identifier.ts';
import { pointersLookedThrough } from '../limits.ts';
import type { Tables } from './tables.ts';

/** Of everybody, in order of the printed names: a table or a view is in the way whether or not the caller may see it. */
export async function* everyPointer({ access, catalog }: Tables, kind: 'table' | 'view'): AsyncGenerator<TablePointer> {
  let after: string | undefined;
  for (;;) {
    const page = { kind, limit: pointersLookedThrough, ...(after === undefined ? {} : { after }) };
    const pointers = await access.asServer(() => catalog.list(page));
    yield* pointers;
    const last = pointers.at(-1);
    if (last === undefined || pointers.length < page.limit) return;
    after = printIdentifier(last.identifier);
    // An embedded catalog holds up the event loop while it reads: let others in between.
    await nextTurn();
  }
}
