/**
 * The fast way of each kind of column: the canonical text of a plainly valid value, or undefined
 * for "ask the zod rule". Each may be stricter than its rule, never laxer (property-tested).
 */

const DASH = 45;
const DOT = 46;
const DIGIT_0 = 48;

/** Bits that say what a UTF-16 unit, or a byte, can be in a UUID; indexed by any unit, so without bounds. */
const LOWER = 1;
const UPPER = 2;
const HYPHEN = 4;
const OTHER = 8;
const UUID_UNIT = new Uint8Array(65_536).fill(OTHER);
for (const digit of "0123456789abcdef") UUID_UNIT[digit.charCodeAt(0)] = LOWER;
for (const digit of "ABCDEF") UUID_UNIT[digit.charCodeAt(0)] = UPPER;
UUID_UNIT[DASH] = HYPHEN;
const UUID_PATTERN = Array.from(
  "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx",
  (unit) => unit === "-" ? HYPHEN : 0,
);

const UUID_LENGTH = UUID_PATTERN.length;

/** A UUID, in lower case. */
export function plainUuid(text: string): string | undefined {
  if (text.length !== UUID_LENGTH) return undefined;
  let seen = 0;
  let misplaced = 0;
  for (let index = 0; index < UUID_LENGTH; index++) {
    const kind = UUID_UNIT[text.charCodeAt(index)]!;
    seen |= kind;
    misplaced |= (kind & HYPHEN) ^ UUID_PATTERN[index]!;
  }
  if (misplaced !== 0 || seen >= OTHER) return undefined;
  return (seen & UPPER) === 0 ? text : text.toLowerCase();
}

/** Whether the bytes between two positions are a UUID in lower case. */
export function isPlainUuid(bytes: Uint8Array, from: number, to: number): boolean {
  if (to - from !== UUID_LENGTH) return false;
  let seen = 0;
  let misplaced = 0;
  for (let index = 0; index < UUID_LENGTH; index++) {
    const kind = UUID_UNIT[bytes[from + index]!]!;
    seen |= kind;
    misplaced |= (kind & HYPHEN) ^ UUID_PATTERN[index]!;
  }
  return misplaced === 0 && (seen & ~(LOWER | HYPHEN)) === 0;
}

/** Category Cc but tab, line feed and carriage return. */
// deno-lint-ignore no-control-regex
const CONTROL = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/;

/** Text of at most `longest` UTF-16 units (so of no more code points) without control characters. */
export function plainText(text: string, longest: number): string | undefined {
  const length = text.length;
  if (length > longest) return undefined;
  // The expression beats the loop from about here on; shorter ones are the most frequent.
  if (length > 12) return CONTROL.test(text) ? undefined : text;
  for (let index = 0; index < length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 32 ? unit !== 10 && unit !== 9 && unit !== 13 : unit > 126 && unit < 160) {
      return undefined;
    }
  }
  return text;
}

/** Whether ASCII bytes between two positions are text without control characters. */
export function isPlainAscii(bytes: Uint8Array, from: number, to: number): boolean {
  for (let index = from; index < to; index++) {
    const byte = bytes[index]!;
    if (byte < 32 ? byte !== 10 && byte !== 9 && byte !== 13 : byte === 127) return false;
  }
  return true;
}

/** A price with 0, 1 or 2 decimals as text with 2. */
export function plainPrice(text: string): string | undefined {
  const length = text.length;
  let whole = 0;
  while (whole < length && isDigit(text.charCodeAt(whole))) whole++;
  if (whole === 0 || whole > 10 || (whole > 1 && text.charCodeAt(0) === DIGIT_0)) return undefined;
  if (whole === length) return `${text}.00`;
  if (text.charCodeAt(whole) !== DOT || !isDigit(text.charCodeAt(whole + 1))) return undefined;
  if (length === whole + 2) return `${text}0`;
  return length === whole + 3 && isDigit(text.charCodeAt(whole + 2)) ? text : undefined;
}

/** A whole number from 1 to 9999 at most, not above `largest`. */
export function plainWholeNumber(text: string, largest: number): string | undefined {
  const length = text.length;
  if (length === 0 || length > 4 || text.charCodeAt(0) === DIGIT_0) return undefined;
  let value = 0;
  for (let index = 0; index < length; index++) {
    const code = text.charCodeAt(index);
    if (!isDigit(code)) return undefined;
    value = value * 10 + code - DIGIT_0;
  }
  return value <= largest ? text : undefined;
}

/** NaN, the code beyond the end of a text, is no digit. */
function isDigit(code: number): boolean {
  return code >= DIGIT_0 && code <= 57;
}
