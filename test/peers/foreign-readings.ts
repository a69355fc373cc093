import assert from 'node:assert/strict';
import type { Reading } from './feature-matrix.ts';

/** What PyIceberg 0.12 is known not to do, by what it says. */
const refusals: readonly (readonly [RegExp, string])[] = [
  [/Unsupported file format: FileFormat\.AVRO/, 'PyIceberg 0.12 reads no data files in Avro.'],
  [/Delete file format not supported: FileFormat\.AVRO/, 'PyIceberg 0.12 reads no delete files in Avro.'],
  [/does not yet support equality deletes/, 'PyIceberg 0.12 applies no equality deletes, and says so.'],
];

const emptyForNull = 'PyIceberg 0.12 reads null lists and maps of structs as empty ones';

/**
 * PyIceberg's reading beside the rows that all others agree on. `known` says what else it is known to read otherwise in this table. Throws
 * where it differs in any other way.
 */
export function pyicebergReading(rows: readonly string[] | Error, measure: readonly string[], known?: string): Reading {
  if (rows instanceof Error) {
    const refusal = refusals.find(([words]) => words.test(rows.message));
    return { refused: refusal?.[1] ?? rows.message.split('\n')[0]?.slice(0, 160) ?? '' };
  }
  if (JSON.stringify(rows) === JSON.stringify(measure)) return 'equal';
  if (known !== undefined) return { differs: `${emptyForNull}, ${known}.` };
  assert.deepEqual(rows.map(nullsAsEmpty).toSorted(), measure.map(nullsAsEmpty).toSorted());
  return { differs: `${emptyForNull}.` };
}

function nullsAsEmpty(row: string): string {
  return row.replaceAll('{"map":[]}', 'null').replaceAll('[]', 'null');
}
