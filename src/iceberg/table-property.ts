import { IcecoreError } from '../errors.ts';
import { formatVersionMax } from './metadata.ts';

/** Not properties of their own: what they say is elsewhere in the metadata. Engines send them beside the real ones. */
const reservedProperties: ReadonlySet<string> = new Set([
  'format-version',
  'uuid',
  'snapshot-count',
  'current-snapshot-id',
  'current-snapshot-summary',
  'current-snapshot-timestamp-ms',
  'current-schema',
  'default-partition-spec',
  'default-sort-order',
]);

/** The properties that metadata keeps: all but the reserved ones, as in the reference. */
export function storedProperties(properties: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(properties).filter(([name]) => !reservedProperties.has(name)));
}

/** The version that a table is to be created with, by the property `format-version`; 2 where it is not set. Throws BAD_USER_INPUT. */
export function requestedFormatVersion(properties: Readonly<Record<string, string>>): 1 | 2 | 3 {
  const text = Object.hasOwn(properties, 'format-version') ? properties['format-version'] : '2';
  if (text === '1') return 1;
  if (text === '2') return 2;
  if (text === '3') return 3;
  throw new IcecoreError(
    'BAD_USER_INPUT',
    `A table cannot be created with format-version ${JSON.stringify(text)}: write a number from 1 to ${formatVersionMax}.`,
  );
}
