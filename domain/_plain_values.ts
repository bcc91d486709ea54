/**
 * The fast way of each kind of column: the canonical text of a plainly valid value, or undefined
 * for "ask the zod rule". Each may be stricter than its rule, never laxer (property-tested).
 */

const DASH = 45;
const DOT = 46;
const DIGIT_0 = 48;

/** Per char code: 0 for no hexadecimal digit, 1 for a lower-case one, 3 for an upper-case one. */
const HEX = new Uint8Array(128);
for (const digit of "0123456789abcdef") HEX[digit.charCodeAt(0)] = 1;
for (const digit of "ABCDEF") HEX[digit.charCodeAt(0)] = 3;

/** A UUID, in lower case. */
export function plainUuid(text: string): string | undefined {
  if (text.length !== 36) return undefined;
  let all = 1;
  let any = 0;
  for (let index = 0; index < 36; index++) {
    const code = text.charCodeAt(index);
    if (index === 8 || index === 13 || index === 18 || index === 23) {
      if (code !== DASH) return undefined;
      continue;
    }
    const kind = code < 128 ? HEX[code]! : 0;
    all &= kind;
    any |= kind;
  }
  if (all === 0) return undefined;
  return any === 1 ? text : text.toLowerCase();
}

/** Text of at most `longest` UTF-16 units (so of no more code points) without control characters. */
export function plainText(text: string, longest: number): string | undefined {
  const length = text.length;
  if (length > longest) return undefined;
  for (let index = 0; index < length; index++) {
    const code = text.charCodeAt(index);
    if (code < 32 ? code !== 10 && code !== 9 && code !== 13 : code > 126 && code < 160) {
      return undefined;
    }
  }
  return text;
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
