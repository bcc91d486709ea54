/** Somebody's work is under way. */
let isTaken = false;
/** Those who wait for their turn. */
const waiting: (() => void)[] = [];

/**
 * Does long work of the processor in turn: two at once would only both be late, and what waits for their results, such as
 * PostgreSQL, would have nothing to do until both are there. Between its steps whatever else is ready goes on: answers of
 * servers, heartbeats, small files.
 *
 * @param steps Makes the work, which yields every few milliseconds and waits for nothing.
 * @param options.isUrgent Goes before the others that wait: somebody has nothing else to do until it is done.
 * @returns What it returns.
 */
export async function inTurn<T>(
  steps: () => Iterator<void, T>,
  { isUrgent = false }: { isUrgent?: boolean } = {},
): Promise<T> {
  if (isTaken) {
    await new Promise<void>((begin) => isUrgent ? waiting.unshift(begin) : waiting.push(begin));
  }
  isTaken = true;
  try {
    return await takeSteps(steps());
  } finally {
    const begin = waiting.shift();
    // Handed on, not let go: nobody comes in between.
    if (begin === undefined) isTaken = false;
    else begin();
  }
}

async function takeSteps<T>(steps: Iterator<void, T>): Promise<T> {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    await giveWay();
  }
}

/**
 * Returns when sockets have been looked at. Deno does that when nothing else is ready, or every 61st time: behind
 * `setImmediate` it is ready at once. The answer of another thread comes too late for that, and soon enough: within 0.1 ms.
 */
async function giveWay(): Promise<void> {
  await crypto.subtle.digest("SHA-1", NOTHING);
}

const NOTHING = new Uint8Array(0);
