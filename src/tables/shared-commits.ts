import type { CatalogChange } from '../catalog/catalog.ts';
import { IcecoreError } from '../errors.ts';
import { printIdentifier, type TableIdentifier } from '../iceberg/identifier.ts';
import { commitAttemptsMax, commitsSharedMax, commitsWaitingMax } from '../limits.ts';
import { pauseAfterAttempt } from './commit-pause.ts';
import type { Table } from './table.ts';
import { TableAttempt } from './table-attempt.ts';
import { emptyIntent } from './table-intent.ts';
import type { Tables } from './tables.ts';

/** Errors after which it is certain that nothing was committed. Any other may hide a commit that happened. */
const nothingHappened: ReadonlySet<string> = new Set([
  'BAD_USER_INPUT',
  'FORBIDDEN',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'CONFLICT',
  'PINNED',
  'FAILED_PRECONDITION',
  'OVERLOADED',
]);

export function isCertainlyNothing(error: unknown): error is IcecoreError {
  return error instanceof IcecoreError && nothingHappened.has(error.code);
}

/** Whether a file was not there: of a table that was loaded before others committed, it may have expired. */
export function isMissingFile(error: unknown): boolean {
  return IcecoreError.is(error, 'NOT_FOUND') && typeof error.context.location === 'string';
}

/** What one writer wants of one table, and what belongs to it. */
export interface CommitPart {
  readonly identifier: TableIdentifier;
  /** Applied in order, in the writer's own scope of access. Throws where they do not go with what the table is by then. */
  apply(attempt: TableAttempt, table: Table): Promise<void>;
  readonly change: Pick<CatalogChange, 'entries' | 'links' | 'claims'>;
  /** Makes it a commit of its own, in the table's turn. */
  alone(): Promise<PartOutcome>;
}

export interface PartOutcome {
  readonly table: Table | null;
  readonly seqs: readonly bigint[];
}

interface Member extends CommitPart {
  resolve(outcome: PartOutcome): void;
  reject(error: unknown): void;
}

interface Applied {
  readonly applied: readonly Member[];
  readonly refused: ReadonlyMap<Member, unknown>;
}

/**
 * Writers of one table who come while a commit to it is under way share the next: one metadata file and one transaction of the catalog for all
 * their snapshots, each with its own answer. A part that fails does so alone.
 */
export class SharedCommits {
  readonly #tables: Tables;
  readonly #waiting = new Map<string, Member[]>();

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  /** Throws what the part throws, and OVERLOADED where too many wait already. */
  commit(part: CommitPart): Promise<PartOutcome> {
    return new Promise((resolve, reject) => {
      const key = printIdentifier(part.identifier);
      const waiting = this.#waiting.get(key);
      const member = { ...part, resolve, reject };
      if (waiting !== undefined) {
        if (waiting.length >= commitsWaitingMax) reject(tooManyWaiting(key, waiting.length));
        else waiting.push(member);
        return;
      }
      this.#waiting.set(key, [member]);
      this.#inTurn(key);
    });
  }

  #inTurn(key: string): void {
    void this.#tables.access.asServer(() =>
      this.#tables.turns.take([key], async () => {
        const waiting = this.#waiting.get(key) ?? [];
        const members = waiting.splice(0, commitsSharedMax);
        if (waiting.length === 0) this.#waiting.delete(key);
        else this.#inTurn(key);
        await this.#together(members).catch((error: unknown) => {
          for (const member of members) member.reject(error);
        });
      }),
    );
  }

  async #together(members: readonly Member[]): Promise<void> {
    if (members.length === 1) return await alone(members);
    let left = members;
    for (let attempt = 1; left.length > 0; attempt++) {
      const [first] = left;
      const base = first === undefined ? null : await this.#tables.find(first.identifier);
      // Each says for itself what it misses.
      if (first === undefined || base === null) return await alone(left);
      const shared = new TableAttempt(this.#tables, emptyIntent(first.identifier), base, attempt);
      const { applied, refused } = await this.#applied(shared, base, left);
      left = [...applied, ...refused.keys()];
      if (applied.length === 0) return await alone(left);
      try {
        await shared.finish();
        const { seqs } = await this.#tables.catalog.commit({ pointers: shared.pointers, ...together(applied) });
        await shared.settle();
        answer(applied, shared.result, seqs);
        for (const [member, error] of refused) member.reject(error);
        return;
      } catch (error) {
        if (!isCertainlyNothing(error)) throw error;
        this.#tables.files.forget(shared.written);
        await this.#tables.storage.remove(shared.written).catch(() => undefined);
        const now = await this.#tables.find(first.identifier);
        const isLostRace = error.code === 'CONFLICT' && error.retryable && now?.metadataLocation !== base.metadataLocation;
        // What stood in the way was one part's, such as a key that was used before: on its own, each learns what concerns it.
        if (!isLostRace || attempt >= commitAttemptsMax) return await alone(left);
      }
      await pauseAfterAttempt(attempt);
    }
  }

  /** Those whose changes went in, one behind the other. What stood behind others' is `refused` only once those are committed. */
  async #applied(shared: TableAttempt, base: Table, members: readonly Member[]): Promise<Applied> {
    const applied: Member[] = [];
    const refused = new Map<Member, unknown>();
    for (const member of members) {
      try {
        await member.apply(shared, base);
        applied.push(member);
      } catch (error) {
        if (applied.length === 0 && !isMissingFile(error)) member.reject(error);
        else refused.set(member, error);
      }
    }
    return { applied, refused };
  }
}

function tooManyWaiting(table: string, waiting: number): IcecoreError {
  return new IcecoreError('OVERLOADED', `${waiting} commits to ${table} already wait for their turn: repeat the call later.`, {
    context: { table },
    retryable: true,
  });
}

async function alone(members: readonly Member[]): Promise<void> {
  for (const member of members) await member.alone().then(member.resolve, member.reject);
}

function together(members: readonly Member[]): Pick<CatalogChange, 'entries' | 'links' | 'claims'> {
  return {
    entries: members.flatMap(({ change }) => change.entries ?? []),
    links: members.flatMap(({ change }) => change.links ?? []),
    claims: members.flatMap(({ change }) => change.claims ?? []),
  };
}

/** Numbers were given to all entries, then to all links' entries. */
function answer(members: readonly Member[], table: Table | null, seqs: readonly bigint[]): void {
  let entryAt = 0;
  let linkAt = members.reduce((sum, { change }) => sum + (change.entries?.length ?? 0), 0);
  for (const { change, resolve } of members) {
    const entries = change.entries?.length ?? 0;
    const links = change.links?.length ?? 0;
    resolve({ table, seqs: [...seqs.slice(entryAt, entryAt + entries), ...seqs.slice(linkAt, linkAt + links)] });
    entryAt += entries;
    linkAt += links;
  }
}
