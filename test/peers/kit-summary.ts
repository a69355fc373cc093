import type { KitCase } from './kit-report.ts';

/** What became of a run of the kit, and where it ran. */
export interface KitOutcome {
  readonly where: string;
  readonly cases: readonly KitCase[];
  /** What a reader calls the classes of tests. */
  readonly suites: Readonly<Record<string, string>>;
  /** Tests that were not run, each with the reason. */
  readonly leftOut: Readonly<Record<string, string>>;
}

const notSwitched = 'no switch of the kit turns it on; run by our subclass';

/** For what the kit gives no words to, or words about itself. */
const ourReasons: Readonly<Record<string, string>> = {
  createTableInUniqueLocation: notSwitched,
  testDropNamespaceWithNestedNamespace: notSwitched,
  testListNestedNamespaces: notSwitched,
  testNamespaceWithSlash: notSwitched,
  testTableNameWithSlash: notSwitched,
};

/** The outcomes in Markdown: the same for the same outcomes, whenever they were had. */
export function kitSummary(outcomes: readonly KitOutcome[]): string {
  const counted = ['| where | tests | passed | failed | skipped |', '|---|---|---|---|---|'];
  const skipped = new Map<string, string[]>();
  const skip = (name: string, reason: string, where: string) => {
    const row = `| \`${name}\` | ${reason} |`;
    const places = skipped.get(row) ?? [];
    if (!places.includes(where)) skipped.set(row, [...places, where]);
  };
  for (const { where, cases, suites, leftOut } of outcomes) {
    for (const [suite, its] of Map.groupBy(cases, (test) => test.suite)) {
      const count = (outcome: KitCase['outcome']) => its.filter((test) => test.outcome === outcome).length;
      counted.push(`| ${where} | ${suites[suite] ?? suite} | ${count('passed')} | ${count('failed')} | ${count('skipped')} |`);
    }
    for (const test of cases) if (test.outcome === 'skipped') skip(methodOf(test), reasonOf(test), where);
    for (const [name, reason] of Object.entries(leftOut)) skip(name, reason, where);
  }
  const rows = [...skipped].map(
    ([row, places]) => `${row} ${places.length === outcomes.length ? 'everywhere' : places.join('; ')} |`,
  );
  return [...counted, '', '| not run | because | where |', '|---|---|---|', ...rows.toSorted()].join('\n');
}

function methodOf({ name }: KitCase): string {
  return name.replace(/\(.*$/, '');
}

function reasonOf(test: KitCase): string {
  return ourReasons[methodOf(test)] ?? (test.reason === '' ? 'the kit does not say' : test.reason);
}
