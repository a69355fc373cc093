import fc from 'fast-check';
import { expect, it } from 'vitest';
import { copyValues, type Values, weaveValues } from '../../src/arrow/value-copy.ts';

const lengths = fc.oneof({ weight: 6, arbitrary: fc.nat({ max: 40 }) }, fc.nat({ max: 700 }), fc.constant(0));
const blocks = fc.array(lengths, { minLength: 1, maxLength: 40 });

/** Values of these lengths, every byte another; at the very end of their memory, or with other bytes around. */
function valuesOf(lengths: readonly number[], around: number): Values {
  const offsets = Int32Array.from([0, ...lengths]);
  for (let index = 1; index < offsets.length; index++) offsets[index] = (offsets[index] ?? 0) + (offsets[index - 1] ?? 0);
  const total = offsets.at(-1) ?? 0;
  const memory = Uint8Array.from({ length: total + 2 * around }, (_, index) => (index * 31 + lengths.length) & 0xff);
  return { bytes: memory.subarray(around, around + total), offsets };
}

function valueAt({ bytes, offsets }: Values, row: number): Buffer {
  return Buffer.from(bytes.subarray(offsets[row], offsets[row + 1]));
}

/** Room for these values, between bytes that nobody may touch. */
function targetOf(values: readonly Buffer[]): { readonly memory: Uint8Array; readonly target: Values } {
  const { bytes, offsets } = valuesOf(
    values.map(({ length }) => length),
    0,
  );
  const memory = new Uint8Array(bytes.length + 64).fill(0xee);
  return { memory, target: { bytes: memory.subarray(32, 32 + bytes.length), offsets } };
}

function wanted(values: readonly Buffer[]): Buffer {
  return Buffer.concat([Buffer.alloc(32, 0xee), ...values, Buffer.alloc(32, 0xee)]);
}

it('copies values in any order, and not a byte besides', () => {
  fc.assert(
    fc.property(blocks, fc.constantFrom(0, 8, 100), fc.constantFrom(1, 2), fc.nat(), (lengths, around, stride, seed) => {
      const source = valuesOf(lengths, around);
      const rows = Uint16Array.from(lengths, (_, index) => (index * 7 + seed) % lengths.length);
      // Between the values of two picks, those of the other.
      const values = [...rows].flatMap((row) => Array.from({ length: stride }, () => valueAt(source, row)));
      const { memory, target } = targetOf(values);
      for (let at = 0; at < stride; at++) copyValues(source, target, { block: 0, rows, from: 0, count: rows.length, at, stride });
      expect(Buffer.compare(memory, wanted(values))).toBe(0);
    }),
  );
});

it('weaves the values of lanes, and not a byte besides', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(4, 8),
      fc.array(blocks, { minLength: 8, maxLength: 8 }),
      fc.constantFrom(0, 100),
      (lanes, all, around) => {
        const sources = all.slice(0, lanes).map((lengths) => valuesOf(lengths, around));
        const count = Math.min(...all.slice(0, lanes).map(({ length }) => length));
        const picks = sources.map(({ offsets }, lane) => {
          return { block: lane, rows: null, from: offsets.length - 1 - count, count, at: lane, stride: lanes };
        });
        const values = Array.from({ length: count }, (_, row) =>
          sources.map((source, lane) => valueAt(source, (picks[lane]?.from ?? 0) + row)),
        ).flat();
        const { memory, target } = targetOf(values);
        weaveValues(sources, target, { picks, at: 0, count });
        expect(Buffer.compare(memory, wanted(values))).toBe(0);
      },
    ),
  );
});

it('copies the last values of 2 GiB, with memory behind them that may be read', () => {
  const size = 2 ** 31 - 1;
  // Pages that nobody writes to take no memory.
  const memory = new Uint8Array(Buffer.allocUnsafeSlow(size + 64).buffer);
  const source = { bytes: memory.subarray(0, size), offsets: Int32Array.of(0, size - 10, size) };
  source.bytes.set(Buffer.from('0123456789'), size - 10);
  const { target } = targetOf(Array.from({ length: 3 }, () => Buffer.alloc(10)));
  copyValues(source, target, { block: 0, rows: Uint16Array.of(1, 1, 1), from: 0, count: 3, at: 0, stride: 1 });
  expect(Buffer.from(target.bytes).toString()).toBe('0123456789'.repeat(3));
});
