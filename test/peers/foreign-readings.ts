import type { Reading } from './feature-matrix.ts';

/** What PyIceberg 0.12 is known not to do, by what it says. */
const refusals: readonly (readonly [RegExp, string])[] = [
  [/Unsupported file format: FileFormat\.AVRO/, 'PyIceberg 0.12 reads no data files in Avro.'],
  [/Delete file format not supported: FileFormat\.AVRO/, 'PyIceberg 0.12 reads no delete files in Avro.'],
  [/does not yet support equality deletes/, 'PyIceberg 0.12 applies no equality deletes, and says so.'],
];

/** PyIceberg's reading beside the rows that all others agree on. */
export function pyicebergReading(rows: readonly string[] | Error, measure: readonly string[]): Reading {
  if (rows instanceof Error) {
    const known = refusals.find(([words]) => words.test(rows.message));
    return { refused: known?.[1] ?? rows.message.split('\n')[0]?.slice(0, 160) ?? '' };
  }
  if (JSON.stringify(rows) === JSON.stringify(measure)) return 'equal';
  const withoutNullLists = measure.map(nullsAsEmpty).toSorted();
  const isKnown = JSON.stringify(rows.map(nullsAsEmpty).toSorted()) === JSON.stringify(withoutNullLists);
  return {
    differs: isKnown
      ? 'PyIceberg 0.12 reads null lists and maps of structs as empty ones.'
      : 'PyIceberg 0.12 reads null lists and maps of structs as empty ones, and columns inside of maps by name where they were renamed or added again.',
  };
}

function nullsAsEmpty(row: string): string {
  return row.replaceAll('{"map":[]}', 'null').replaceAll('[]', 'null');
}
