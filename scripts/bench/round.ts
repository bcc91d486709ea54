/** Three digits: more would be noise. */
export function round(value: number | null): number | null {
  return value === null ? null : Number(value.toPrecision(3));
}
