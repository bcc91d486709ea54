/** Calls at a time: enough to keep the disk or the server busy, few enough to leave the others a turn. */
const BATCH = 64;

/** Does something with each item, a batch at a time. */
export async function inBatches<T>(
  items: readonly T[],
  work: (item: T) => Promise<void>,
  size = BATCH,
): Promise<void> {
  for (let i = 0; i < items.length; i += size) {
    await Promise.all(items.slice(i, i + size).map(work));
  }
}
