/** The hundredths of a canonical price, which has two decimals and at most 10 digits before the point: exact. */
export function inHundredths(price: string): number {
  return Number(price.replace(".", ""));
}
