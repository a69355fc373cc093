import { IcecoreError } from '../errors.ts';

const dayMicros = 86_400_000_000n;
const dayNanos = dayMicros * 1000n;

export type TimeUnit = 'micros' | 'nanos';
export const unitsPerDay = { micros: dayMicros, nanos: dayNanos } as const;
const unitsPerSecond = { micros: 1_000_000n, nanos: 1_000_000_000n } as const;
const fractionDigits = { micros: 6, nanos: 9 } as const;

export interface CivilDate {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

/** Gives the proleptic Gregorian date of a day counted from 1970-01-01. JavaScript's Date ends before 64-bit micros do. */
export function civilFromDays(days: number): CivilDate {
  // Years begin in March here, so that the leap day is the last; an era is 400 years, 146,097 days.
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1,
  };
}

/** The other way round: days from 1970-01-01. */
export function daysFromCivil({ year, month, day }: CivilDate): number {
  const marchYear = month <= 2 ? year - 1 : year;
  const era = Math.floor(marchYear / 400);
  const yearOfEra = marchYear - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  return era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468;
}

/** Division that rounds down, also below zero. */
export function floorDiv(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  return value % by < 0n ? quotient - 1n : quotient;
}

const pad = (value: number | bigint, width: number) => value.toString().padStart(width, '0');

/** `2001-01-03`; a year beyond 9999 or before 0 carries its sign. */
export function printYear(year: number): string {
  if (year > 9999) return `+${year}`;
  return year < 0 ? `-${pad(-year, 4)}` : pad(year, 4);
}

export function printDate(days: number): string {
  const { year, month, day } = civilFromDays(days);
  return `${printYear(year)}-${pad(month, 2)}-${pad(day, 2)}`;
}

/** `22:31:08`, with a fraction of six digits (nine for nanoseconds) unless it is zero. */
export function printTime(time: bigint, unit: TimeUnit = 'micros'): string {
  const second = time / unitsPerSecond[unit];
  const fraction = time % unitsPerSecond[unit];
  const clock = `${pad(second / 3600n, 2)}:${pad((second / 60n) % 60n, 2)}:${pad(second % 60n, 2)}`;
  return fraction === 0n ? clock : `${clock}.${pad(fraction, fractionDigits[unit])}`;
}

/** `2001-01-03T22:31:08.000001`, and `+00:00` behind it where the instant is one of UTC. */
export function printTimestamp(instant: bigint, unit: TimeUnit, withZone: boolean): string {
  const day = floorDiv(instant, unitsPerDay[unit]);
  return `${printDate(Number(day))}T${printTime(instant - day * unitsPerDay[unit], unit)}${withZone ? '+00:00' : ''}`;
}

function unreadable(what: string, text: string, example: string): IcecoreError {
  return new IcecoreError('BAD_USER_INPUT', `"${text}" is not a ${what}. Write it like ${example}.`);
}

/** Days from 1970-01-01. Throws BAD_USER_INPUT where the text is no date of the calendar. */
export function parseDate(text: string): number {
  const match = /^([+-]?\d{4,7})-(\d\d)-(\d\d)$/.exec(text);
  if (match === null) throw unreadable('date', text, '2001-01-03');
  const days = daysFromCivil({ year: Number(match[1]), month: Number(match[2]), day: Number(match[3]) });
  const date = civilFromDays(days);
  if (date.month !== Number(match[2]) || date.day !== Number(match[3])) throw unreadable('date', text, '2001-01-03');
  return days;
}

/** Microseconds, or nanoseconds, from midnight. Seconds may be left out; digits beyond the unit must be zero. */
export function parseTime(text: string, unit: TimeUnit = 'micros'): bigint {
  const match = /^(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?$/.exec(text);
  const [hours, minutes, seconds] = [BigInt(match?.[1] ?? 0), BigInt(match?.[2] ?? 0), BigInt(match?.[3] ?? 0)];
  const fraction = (match?.[4] ?? '').padEnd(9, '0');
  const lost = fraction.slice(fractionDigits[unit]);
  if (match === null || hours > 23n || minutes > 59n || seconds > 59n || /[1-9]/.test(lost)) {
    throw unreadable(unit === 'micros' ? 'time in microseconds' : 'time in nanoseconds', text, '22:31:08.123456');
  }
  return (hours * 3600n + minutes * 60n + seconds) * unitsPerSecond[unit] + BigInt(fraction.slice(0, fractionDigits[unit]));
}

/**
 * Micros or nanos from the epoch. With a zone the text ends in `Z` or an offset, which is taken off; without one it
 * has neither. Throws BAD_USER_INPUT.
 */
export function parseTimestamp(text: string, unit: TimeUnit, withZone: boolean): bigint {
  const match = /^([^T ]+)[T ]([\d:.]+)(Z|[+-]\d\d:\d\d)?$/.exec(text);
  const example = withZone ? '2001-01-03T22:31:08.123456+00:00' : '2001-01-03T22:31:08.123456';
  if (match === null || (match[3] !== undefined) !== withZone) {
    throw unreadable(withZone ? 'timestamp with a zone' : 'timestamp without a zone', text, example);
  }
  const local = BigInt(parseDate(match[1] ?? '')) * unitsPerDay[unit] + parseTime(match[2] ?? '', unit);
  const offset = match[3] ?? 'Z';
  if (offset === 'Z') return local;
  const distance = parseTime(offset.slice(1), unit);
  return offset.startsWith('-') ? local + distance : local - distance;
}
