import { IcecoreError } from '../errors.ts';

/** `14.20` from the unscaled 1420 at scale 2. */
export function printDecimal(unscaled: bigint, scale: number): string {
  const sign = unscaled < 0n ? '-' : '';
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0');
  return scale === 0 ? `${sign}${digits}` : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** The unscaled integer of `14.2` or `1.42E+1` at a precision and scale. Throws BAD_USER_INPUT where it does not fit exactly. */
export function parseDecimal(text: string, precision: number, scale: number): bigint {
  const match = /^([+-]?)(\d{1,60})(?:\.(\d{0,60}))?(?:[eE]([+-]?\d{1,3}))?$/.exec(text);
  if (match === null) throw new IcecoreError('BAD_USER_INPUT', `"${text}" is not a decimal number. Write it like 14.20.`);
  const fraction = match[3] ?? '';
  const digits = BigInt(`${match[2]}${fraction}`);
  const shift = scale - fraction.length + Number(match[4] ?? 0);
  const divisor = shift < 0 ? 10n ** BigInt(-shift) : 1n;
  const unscaled = shift < 0 ? digits / divisor : digits * 10n ** BigInt(shift);
  if (digits % divisor !== 0n || unscaled >= 10n ** BigInt(precision)) {
    throw new IcecoreError('BAD_USER_INPUT', `"${text}" does not fit decimal(${precision}, ${scale}) exactly.`);
  }
  return match[1] === '-' ? -unscaled : unscaled;
}

/** The shortest big-endian two's complement bytes of an integer: what is hashed and what bounds hold (spec: Appendices B, D). */
export function decimalBytes(unscaled: bigint): Uint8Array {
  let length = 1;
  while (BigInt.asIntN(length * 8, unscaled) !== unscaled) length++;
  const bytes = new Uint8Array(length);
  let rest = BigInt.asUintN(length * 8, unscaled);
  for (let index = length - 1; index >= 0; index--) {
    bytes[index] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}

export function decimalFromBytes(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return BigInt.asIntN(bytes.length * 8, value);
}
