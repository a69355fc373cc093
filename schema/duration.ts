import { IcecoreError } from '../src/errors.ts';

const dayMicros = 86_400_000_000n;
const hourMicros = 3_600_000_000n;
const minuteMicros = 60_000_000n;
const secondMicros = 1_000_000n;
const pattern = /^(-)?P(?:(\d{1,9})W)?(?:(\d{1,9})D)?(T(?:(\d{1,12})H)?(?:(\d{1,12})M)?(?:(\d{1,12})(?:\.(\d{1,6}))?S)?)?$/;

/** Microseconds of an ISO 8601 duration in weeks, days or smaller; a day is 24 hours. Throws BAD_USER_INPUT, also for months and years. */
export function parseDuration(text: string): bigint {
  const match = pattern.exec(text);
  if (match === null || !/\d/.test(text) || match[4] === 'T') {
    throw new IcecoreError(
      'BAD_USER_INPUT',
      `Duration cannot be ${JSON.stringify(text.slice(0, 80))}: write days or smaller units, such as "PT24H" or "P7D".`,
    );
  }
  const [, sign, weeks, days, , hours, minutes, seconds, fraction] = match;
  const micros =
    (BigInt(weeks ?? 0) * 7n + BigInt(days ?? 0)) * dayMicros +
    BigInt(hours ?? 0) * hourMicros +
    BigInt(minutes ?? 0) * minuteMicros +
    BigInt(seconds ?? 0) * secondMicros +
    BigInt((fraction ?? '').padEnd(6, '0'));
  return sign === undefined ? micros : -micros;
}

/** The shortest form in hours and smaller, whole days as days: `P1D`, `PT36H`, `PT0.5S`, `PT0S`. */
export function printDuration(micros: bigint): string {
  if (micros < 0n) return `-${printDuration(-micros)}`;
  if (micros === 0n) return 'PT0S';
  if (micros % dayMicros === 0n) return `P${micros / dayMicros}D`;
  const hours = micros / hourMicros;
  const minutes = (micros % hourMicros) / minuteMicros;
  const seconds = (micros % minuteMicros) / secondMicros;
  const fraction = micros % secondMicros;
  const part = fraction === 0n ? '' : `.${String(fraction).padStart(6, '0').replace(/0+$/, '')}`;
  return `PT${hours > 0n ? `${hours}H` : ''}${minutes > 0n ? `${minutes}M` : ''}${seconds > 0n || part !== '' ? `${seconds}${part}S` : ''}`;
}
