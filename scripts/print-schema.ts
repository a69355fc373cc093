/** Writes `schema/schema.graphql`; with `--check`, says by its exit code whether the checked-in file is that of the code. */
import { readFileSync, writeFileSync } from 'node:fs';
import { printedSchema } from '../schema/print.ts';

const path = new URL('../schema/schema.graphql', import.meta.url);
const printed = printedSchema();
if (!process.argv.includes('--check')) {
  writeFileSync(path, printed);
} else if (readFileSync(path, 'utf8') !== printed) {
  console.error('schema/schema.graphql is not what the code prints. Run: node scripts/print-schema.ts');
  process.exitCode = 1;
}
