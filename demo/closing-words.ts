import { worstAirports } from './steps/proof.ts';
import { predictionsTable } from './steps/scoring.ts';
import type { DemoStore } from './store.ts';

/** The addresses to look at, the keys, and three queries to paste. */
export function closingWords(demo: {
  readonly store: DemoStore;
  readonly url: string;
  readonly seconds: number;
  readonly prediction: string;
  readonly modelVersion: string;
}): string {
  const keys = demo.store.keys.map(({ subject, roles, key }) => `  ${subject.padEnd(6)} ${roles.join(', ').padEnd(28)} ${key}`);
  return `
Done in ${demo.seconds.toFixed(0)} s.

GraphiQL   ${demo.url}/graphql   (its headers hold vera's key)
Tables     ${demo.store.directory}/warehouse   (ordinary Iceberg tables: open them with any engine)

Keys, for "Authorization: Bearer KEY":
${keys.join('\n')}

Three queries to paste:

  { sql(statement: ${JSON.stringify(worstAirports.replace(/\s+/g, ' '))}) { rows } }

  { lineage(of: "${demo.prediction}", direction: UPSTREAM) {
      complete nodes { kind name version state } edges { from { name } to { name } run { kind } } } }

  { predictions(table: "${predictionsTable}", first: 3) { edges { node {
      entity asOf output modelVersion { version approvedBy { id } }
      explanation { rederived approvedBy { id } trail { chain { consistent headSeq } } } } } } }
`;
}
