/** The hundredths of a canonical price, which has two decimals and at most 10 digits before the point: exact. */
export function inHundredths(price: string): number {
  let hundredths = 0;
  for (let at = 0; at < price.length; at++) {
    const digit = price.charCodeAt(at) - ZERO;
    // The point is below the digits.
    if (digit >= 0) hundredths = hundredths * 10 + digit;
  }
  return hundredths;
}

const ZERO = 0x30;
