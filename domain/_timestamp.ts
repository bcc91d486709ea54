const DAYS_IN_MONTH = [0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
/** Too large for every field, even as the last two digits of a year. */
const INVALID = 10_000;
const DIGIT_0 = 48;

/** The first point in time the contract takes: 2000-01-01T00:00:00Z, in epoch microseconds. */
export const EARLIEST_MICROS = 946_684_800_000_000;

/** The two digits at `index` as a number, or {@link INVALID}. */
function twoDigits(text: string, index: number): number {
  const tens = text.charCodeAt(index) - DIGIT_0;
  const ones = text.charCodeAt(index + 1) - DIGIT_0;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : INVALID;
}

/** Days from 1970-01-01 (Howard Hinnant, days_from_civil), for years from 1. */
function daysFromCivil(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year;
  const era = (shifted / 400) | 0;
  const yearOfEra = shifted - era * 400;
  const dayOfYear = ((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 | 0) + day - 1;
  const leaps = (yearOfEra / 4 | 0) - (yearOfEra / 100 | 0);
  return era * 146_097 + yearOfEra * 365 + leaps + dayOfYear - 719_468;
}

function isLeapYear(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

/** Epoch microseconds of a canonical time (`2026-01-31T09:30:00.25Z`), without checks. */
export function epochMicros(canonical: string): number {
  const year = pair(canonical, 0) * 100 + pair(canonical, 2);
  const days = daysFromCivil(year, pair(canonical, 5), pair(canonical, 8));
  const minutes = days * 1440 + pair(canonical, 11) * 60 + pair(canonical, 14);
  let micros = (minutes * 60 + pair(canonical, 17)) * 1_000_000;
  let unit = 100_000;
  for (let index = 20; index < canonical.length - 1; index++) {
    micros += (canonical.charCodeAt(index) - DIGIT_0) * unit;
    unit /= 10;
  }
  return micros;
}

/** Two digits known to be such. */
function pair(text: string, index: number): number {
  return text.charCodeAt(index) * 10 + text.charCodeAt(index + 1) - 11 * DIGIT_0;
}

/**
 * The canonical form of an RFC 3339 time of the years 2000 to 9998, or undefined when it is not
 * plainly one: then the zod rule decides.
 */
export function plainTimestamp(text: string): string | undefined {
  const length = text.length;
  if (length < 20 || length > 32) return undefined;
  const year = twoDigits(text, 0) * 100 + twoDigits(text, 2);
  const month = twoDigits(text, 5);
  const day = twoDigits(text, 8);
  if (year < 2000 || year > 9998 || month < 1 || month > 12) return undefined;
  if (day < 1 || day > DAYS_IN_MONTH[month]!) return undefined;
  if (day === 29 && month === 2 && !isLeapYear(year)) return undefined;
  if (twoDigits(text, 11) > 23 || twoDigits(text, 14) > 59 || twoDigits(text, 17) > 59) {
    return undefined;
  }
  if (text.charCodeAt(4) !== 45 || text.charCodeAt(7) !== 45) return undefined;
  if (text.charCodeAt(13) !== 58 || text.charCodeAt(16) !== 58) return undefined;
  const separator = text.charCodeAt(10);
  if (separator !== 84 && separator !== 32 && separator !== 116) return undefined;

  let zone = 19;
  let fractionEnd = 19;
  if (text.charCodeAt(19) === 46) {
    for (zone = 20; zone < length; zone++) {
      const digit = text.charCodeAt(zone) - DIGIT_0;
      if (digit < 0 || digit > 9) break;
      if (digit > 0) fractionEnd = zone + 1;
    }
    if (zone === 20 || zone > 26) return undefined;
  }
  const sign = text.charCodeAt(zone);
  if (sign === 90 && zone + 1 === length && separator === 84 && fractionEnd === zone) return text;

  const fraction = text.slice(19, fractionEnd);
  if ((sign === 90 || sign === 122) && zone + 1 === length) {
    return `${text.slice(0, 10)}T${text.slice(11, 19)}${fraction}Z`;
  }
  if ((sign !== 43 && sign !== 45) || zone + 6 !== length) return undefined;
  const hours = twoDigits(text, zone + 1);
  const minutes = twoDigits(text, zone + 4);
  if (hours > 23 || minutes > 59 || text.charCodeAt(zone + 3) !== 58) return undefined;
  const offset = (hours * 60 + minutes) * (sign === 45 ? -60_000 : 60_000);
  const utc = epochMicros(`${text.slice(0, 19)}Z`) / 1000 - offset;
  if (utc * 1000 < EARLIEST_MICROS) return undefined;
  return `${new Date(utc).toISOString().slice(0, 19)}${fraction}Z`;
}
