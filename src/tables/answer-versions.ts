import { AsyncLocalStorage } from 'node:async_hooks';
import type { TablePointer } from '../catalog/catalog.ts';

/** Which version of each table an answer goes by: the one that was read first, however long the answer takes (design, invariant 2). */
export class AnswerVersions {
  readonly #answer = new AsyncLocalStorage<Map<string, TablePointer>>();

  /** Runs what makes one answer, and all that it awaits. Not for what writes: it would never see that it lost a race. */
  run<T>(answer: () => T): T {
    return this.#answer.run(new Map(), answer);
  }

  /** Runs what writes on behalf of an answer, and so has to see each table as it is now. */
  outside<T>(work: () => T): T {
    return this.#answer.exit(work);
  }

  /** The pointer to go by in place of one that was read now; outside an answer that one itself. */
  settled(pointer: TablePointer): TablePointer {
    const versions = this.#answer.getStore();
    if (versions === undefined) return pointer;
    const first = versions.get(pointer.uuid) ?? pointer;
    versions.set(pointer.uuid, first);
    return first;
  }
}
