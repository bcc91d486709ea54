/** Somebody's work is under way. */
let isTaken = false;
/** Those who wait for their turn. */
const waiting: (() => void)[] = [];
/** Work that waits for no more than the end of a step. */
const urgent: (() => Promise<void>)[] = [];

/**
 * Does long work of the processor in turn: two at once would only both be late, and what waits for their results, such as
 * PostgreSQL, would have nothing to do until both are there. Between its steps whatever else is ready goes on: answers of
 * servers, heartbeats, small files.
 *
 * @param steps Makes the work, which yields every few milliseconds and waits for nothing.
 * @param options.isUrgent Goes between the steps of other work: somebody has nothing else to do until it is done.
 * @returns What it returns.
 */
export async function inTurn<T>(
  steps: () => Iterator<void, T>,
  { isUrgent = false }: { isUrgent?: boolean } = {},
): Promise<T> {
  if (isTaken && isUrgent) {
    return await new Promise((resolve, reject) => {
      urgent.push(() => takeSteps(steps(), { hasTurn: false }).then(resolve, reject));
    });
  }
  if (isTaken) await new Promise<void>((begin) => waiting.push(begin));
  isTaken = true;
  try {
    return await takeSteps(steps(), { hasTurn: true });
  } finally {
    void handOn();
  }
}

/** Nobody comes in between: whoever is urgent while others were waited for is seen, or finds the turn free. */
async function handOn(): Promise<void> {
  while (urgent.length > 0) await urgent.shift()!();
  const begin = waiting.shift();
  if (begin === undefined) isTaken = false;
  else begin();
}

/** Whoever has the turn lets urgent work in between. */
async function takeSteps<T>(
  steps: Iterator<void, T>,
  { hasTurn }: { hasTurn: boolean },
): Promise<T> {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    await giveWay();
    while (hasTurn && urgent.length > 0) await urgent.shift()!();
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
