/**
 * Makes something of each of the values that chunks share, once for all of these.
 *
 * @param begin Makes what is kept for the values of a column.
 * @param add Adds to it what is made of the next value.
 * @returns What is kept for some values, which only ever become more.
 */
export function perValue<Value, Kept>(
  begin: () => Kept,
  add: (kept: Kept, value: Value) => void,
): (values: readonly Value[]) => Kept {
  const known = new WeakMap<readonly Value[], { kept: Kept; added: number }>();
  return (values) => {
    let entry = known.get(values);
    if (entry === undefined) known.set(values, entry = { kept: begin(), added: 0 });
    for (; entry.added < values.length; entry.added++) add(entry.kept, values[entry.added]!);
    return entry.kept;
  };
}
