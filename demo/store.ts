import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';

/** The demo's three callers. */
export type CallerName = 'ada' | 'grace' | 'vera';

export interface DemoKey {
  readonly key: string;
  readonly subject: CallerName;
  readonly kind: 'HUMAN';
  readonly roles: readonly string[];
}

/** A store of the demo's own: nothing of the caller's is in it, so it may be cleared. */
export interface DemoStore {
  readonly directory: string;
  readonly keysFile: string;
  readonly grantsFile: string;
  readonly keys: readonly DemoKey[];
  /** Where the months' files are delivered: an allowed root of the server. */
  readonly deliveries: string;
  readonly artifact: string;
}

const roles: Readonly<Record<CallerName, readonly string[]>> = {
  // Ada may approve models; just not her own.
  ada: ['scientist', 'approver', 'admin'],
  grace: ['approver'],
  vera: ['viewer'],
};

/** Who may read and write which tables: the others look on. Icecore's own tables are named, since `*` does not cover them. */
const grants = [
  { subject: 'ada', on: '*', may: 'write' },
  { subject: '*', on: '*', may: 'read' },
  { subject: '*', on: 'icecore', may: 'read' },
] as const;

/** Clears what an earlier run left, after asking; `mayClear` asks not. Null where the answer was no. */
export async function openStore(directory: string, mayClear: boolean): Promise<DemoStore | null> {
  if (existsSync(directory)) {
    if (!existsSync(join(directory, 'keys.json')))
      throw new Error(`${directory} is no store of this demo; name another with --store.`);
    if (!mayClear && !(await confirm(`The store of an earlier demo, ${directory}, will be cleared. Go on? [y/N] `))) return null;
    rmSync(directory, { recursive: true, force: true });
  }
  mkdirSync(directory, { recursive: true });
  const keys = (['ada', 'grace', 'vera'] as const).map((subject): DemoKey => {
    return { key: `demo-${subject}-${randomBytes(9).toString('base64url')}`, subject, kind: 'HUMAN', roles: roles[subject] };
  });
  writeFileSync(join(directory, 'keys.json'), JSON.stringify(keys, null, 2), { mode: 0o600 });
  writeFileSync(join(directory, 'grants.json'), JSON.stringify(grants, null, 2));
  return storeAt(directory);
}

/** A store that an earlier run made. */
export function storeAt(directory: string): DemoStore {
  const keysFile = join(directory, 'keys.json');
  return {
    directory,
    keysFile,
    grantsFile: join(directory, 'grants.json'),
    keys: JSON.parse(readFileSync(keysFile, 'utf8')) as readonly DemoKey[],
    deliveries: join(directory, 'deliveries'),
    artifact: join(directory, 'flight-late.json'),
  };
}

export function keyOf(store: DemoStore, subject: CallerName): string {
  const found = store.keys.find((key) => key.subject === subject);
  if (found === undefined) throw new Error(`${store.keysFile} has no key of ${subject}`);
  return found.key;
}

async function confirm(question: string): Promise<boolean> {
  if (process.stdin.isTTY !== true) throw new Error(`${question}There is no terminal to ask; say --yes.`);
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(es)?$/i.test((await terminal.question(question)).trim());
  } finally {
    terminal.close();
  }
}
