import fc from 'fast-check';
import type { Literal, PrimitiveType } from '../../src/iceberg/type.ts';

const long = () => fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const bytes = (length?: number) => fc.uint8Array(length === undefined ? {} : { minLength: length, maxLength: length });

/** Any value of each type, as it is held in memory. */
export const valuesByType: readonly [PrimitiveType, fc.Arbitrary<Literal>][] = [
  ['boolean', fc.boolean()],
  ['int', fc.integer()],
  ['date', fc.integer()],
  ['long', long()],
  ['time', fc.bigInt({ min: 0n, max: 86_399_999_999n })],
  ['timestamp', long()],
  ['timestamptz', long()],
  ['timestamp_ns', long()],
  ['timestamptz_ns', long()],
  ['float', fc.float({ noNaN: true })],
  ['double', fc.double({ noNaN: true })],
  ['string', fc.string({ unit: 'binary' })],
  ['uuid', fc.uuid()],
  ['fixed[4]', bytes(4)],
  ['binary', bytes()],
  ['decimal(38, 3)', fc.bigInt({ min: -(10n ** 38n) + 1n, max: 10n ** 38n - 1n })],
];
