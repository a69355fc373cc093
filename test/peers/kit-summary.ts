import type { KitCase } from './kit-report.ts';

/** Names of the kit's classes and ours, as a reader would say them. */
const suites: Readonly<Record<string, string>> = {
  RESTCompatibilityKitCatalogTests: 'tables, as published',
  RESTCompatibilityKitViewCatalogTests: 'views, as published',
  NestedNamespaceCatalogTests: 'what no switch of the kit turns on',
};

/** For what the kit gives no words to. */
const ourReasons: Readonly<Record<string, string>> = {
  testNamespaceWithSlash: 'no switch of the kit turns it on; run below by a subclass',
  testTableNameWithSlash: 'no switch of the kit turns it on; run below by a subclass',
};

/** The reports of runs by where they ran, in Markdown: the same for the same outcomes. */
export function kitSummary(reports: ReadonlyMap<string, readonly KitCase[]>): string {
  const table = ['| where | tests | passed | failed | skipped |', '|---|---|---|---|---|'];
  const skipped = new Map<string, string[]>();
  for (const [where, cases] of reports) {
    for (const [suite, its] of Map.groupBy(cases, (test) => test.suite)) {
      const count = (outcome: KitCase['outcome']) => its.filter((test) => test.outcome === outcome).length;
      table.push(`| ${where} | ${suites[suite] ?? suite} | ${count('passed')} | ${count('failed')} | ${count('skipped')} |`);
    }
    for (const test of cases.filter(({ outcome }) => outcome === 'skipped')) {
      const key = `| \`${test.name.replace(/\(.*$/, '')}\` | ${suites[test.suite] ?? test.suite} | ${reasonOf(test)} |`;
      skipped.set(key, [...(skipped.get(key) ?? []), where]);
    }
  }
  const everywhere = reports.size;
  const rows = [...skipped].map(([row, where]) => `${row} ${where.length === everywhere ? 'everywhere' : where.join('; ')} |`);
  return [...table, '', '| skipped | of | because | where |', '|---|---|---|---|', ...rows.toSorted()].join('\n');
}

function reasonOf({ name, reason }: KitCase): string {
  return reason === '' ? (ourReasons[name.replace(/\(.*$/, '')] ?? 'the kit does not say') : reason;
}
