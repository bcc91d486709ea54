import { assertShares, type FaultShares, InvalidFaults } from "./generator/fault_shares.ts";
import { type GeneratorState, type Interval, isLive } from "./generator_state.ts";

/** What can be changed while a generator runs; what is left out stays. */
export interface GeneratorChange {
  /** Averaged over a week; sessions that have begun keep theirs. */
  eventsPerSecond?: number;
  interval?: Interval;
  /** Feed milliseconds per real millisecond. */
  speed?: number;
  faults?: FaultShares;
  /** Files in all, those landed included. */
  files?: number;
  /** Another stream from the next file on. */
  seed?: number;
  /** Feed time to go on from, epoch milliseconds. */
  from?: number;
}

/** What a generator can be told. */
export type GeneratorCommand = "pause" | "resume" | "stop";

/** A change that a person asked for and that cannot be made; its message is shown to them. */
export class InvalidChange extends Error {
  override name = "InvalidChange";
}

/** Most events a second that a live generator takes: a worker that starts finds the sessions under way in 1 s. Beyond it, write in bulk. */
export const MAX_EVENTS_PER_SECOND = 2_000;
const MAX_SPEED = 100_000;

/**
 * Starts a generator.
 *
 * @param options Where, what and how fast; `from` is the feed time to start at, epoch milliseconds.
 * @example
 * ```ts
 * import { startGenerator } from "./generator_change.ts";
 * import assert from "node:assert/strict";
 * const state = startGenerator({
 *   ...{ directory: "/inbox", truthDirectory: "/truth" },
 *   ...{ seed: 1, eventsPerSecond: 20, from: 0 },
 * });
 * assert.equal(state.sequence, 1);
 * ```
 */
export function startGenerator(
  { directory, truthDirectory, seed, profile = "rees46", eventsPerSecond, from, ...options }:
    & { directory: string; truthDirectory: string; seed: number; from: number }
    & { profile?: string; eventsPerSecond: number }
    & Pick<GeneratorChange, "interval" | "speed" | "faults" | "files">,
): GeneratorState {
  const { interval = { minMs: 1_000, maxMs: 3_000 }, speed = 1, faults = {}, files } = options;
  assertValues({ eventsPerSecond, interval, speed, faults, ...(files !== undefined && { files }) });
  return {
    directory,
    truthDirectory,
    seed,
    profile,
    rates: [{ from: 0, eventsPerSecond }],
    faults,
    interval,
    feedTime: from,
    reachedAt: null,
    since: from,
    speed,
    sequence: 1,
    lastSequence: files ?? null,
    paused: false,
    stopped: false,
    filesLanded: 0,
    eventsLanded: 0,
    faultsPlanted: 0,
  };
}

/**
 * Changes a generator from its feed time on.
 *
 * @param now Real time, epoch milliseconds.
 * @throws {InvalidChange} as {@linkcode assertChange} does
 * @example
 * ```ts
 * import { startGenerator, withChange } from "./generator_change.ts";
 * import assert from "node:assert/strict";
 * const state = startGenerator({
 *   ...{ directory: "/inbox", truthDirectory: "/truth" },
 *   ...{ seed: 1, eventsPerSecond: 20, from: 0 },
 * });
 * const changed = withChange({ ...state, feedTime: 9_000 }, { eventsPerSecond: 5 }, 9_000);
 * assert.deepEqual(changed.rates.at(-1), { from: 9_000, eventsPerSecond: 5 });
 * ```
 */
export function withChange(
  state: GeneratorState,
  change: GeneratorChange,
  now: number,
): GeneratorState {
  assertChange(state, change, now);
  const { eventsPerSecond, interval, speed, faults, files, seed, from } = change;
  let changed = { ...state };
  if (interval !== undefined) changed.interval = interval;
  if (speed !== undefined) changed.speed = speed;
  if (files !== undefined) changed.lastSequence = files;
  // What was to be written later belongs to the stream and the faults before.
  if (faults !== undefined) changed = { ...changed, faults, since: state.feedTime };
  if (seed !== undefined) changed = { ...changed, seed, since: state.feedTime };
  if (from !== undefined) {
    const rate = state.rates.at(-1)!.eventsPerSecond;
    const rates = [{ from: 0, eventsPerSecond: rate }] as const;
    changed = { ...changed, feedTime: from, since: from, reachedAt: now, rates };
  }
  return eventsPerSecond === undefined ? changed : withRate(changed, eventsPerSecond);
}

function withRate(state: GeneratorState, eventsPerSecond: number): GeneratorState {
  const before = state.rates.filter(({ from }) => from < state.feedTime);
  const change = { from: state.feedTime, eventsPerSecond };
  const [first = change, ...later] = [...before, change];
  return { ...state, rates: [first, ...later] };
}

/** Pauses, resumes or stops: the effect of the updates. */
export function withCommand(
  state: GeneratorState,
  command: GeneratorCommand,
  now: number,
): GeneratorState {
  assertCommand(state, command);
  if (command === "stop") return { ...state, stopped: true };
  if (command === "pause") return { ...state, paused: true };
  const resumed = { ...state, paused: false, reachedAt: now };
  // A live feed goes on with the present: what would have happened during the pause did not.
  return isLive(state) && now > state.feedTime
    ? { ...resumed, feedTime: now, since: now }
    : resumed;
}

/** Throws when a command makes no sense now. */
export function assertCommand(state: GeneratorState, command: GeneratorCommand): void {
  if (state.stopped) throw new InvalidChange(`Cannot ${command}: the generator has stopped`);
  if (command === "pause" && state.paused) throw new InvalidChange("Cannot pause: already paused");
  if (command === "resume" && !state.paused) throw new InvalidChange("Cannot resume: not paused");
}

/** Throws when a change cannot be made now; `now` is the real time, epoch milliseconds. */
export function assertChange(state: GeneratorState, change: GeneratorChange, now: number): void {
  const { files, seed = state.seed, from } = change;
  if (state.stopped) throw new InvalidChange("Cannot change anything: the generator has stopped");
  assertValues(change);
  if (files !== undefined && files < state.sequence) {
    throw new InvalidChange(
      `Cannot stop after file ${files}: file ${state.sequence - 1} has landed; stop it instead`,
    );
  }
  if (from === undefined) return;
  assertPast(from, now);
  if (from < state.feedTime && seed === state.seed) {
    const there = new Date(state.feedTime).toISOString();
    throw new InvalidChange(
      `Cannot go back to ${
        new Date(from).toISOString()
      }: the events of this seed have landed up to ${there}; choose another seed`,
    );
  }
}

/** Throws when a feed would begin after the present: events of tomorrow are not taken. */
export function assertPast(from: number, now: number): void {
  if (from <= now) return;
  const time = new Date(from).toISOString();
  throw new InvalidChange(`Cannot begin at ${time}: expected a time that has passed`);
}

function assertValues({ eventsPerSecond, interval, speed, faults, files }: GeneratorChange): void {
  if (eventsPerSecond !== undefined) {
    assertWithin(eventsPerSecond, MAX_EVENTS_PER_SECOND, {
      doing: `set the rate to ${eventsPerSecond} events a second`,
    });
  }
  if (speed !== undefined) {
    assertWithin(speed, MAX_SPEED, { doing: `set the speed to ${speed}` });
  }
  if (interval !== undefined) assertInterval(interval);
  if (faults !== undefined) assertFaults(faults);
  if (files !== undefined && !(Number.isInteger(files) && files >= 1)) {
    throw new InvalidChange(`Cannot generate ${files} files: expected a whole number from 1`);
  }
}

function assertWithin(value: number, most: number, { doing }: { doing: string }): void {
  if (value > 0 && value <= most) return;
  throw new InvalidChange(`Cannot ${doing}: expected more than 0 and at most ${most}`);
}

function assertInterval({ minMs, maxMs }: Interval): void {
  if (minMs >= 10 && maxMs >= minMs && maxMs <= 3_600_000) return;
  throw new InvalidChange(
    `Cannot wait ${minMs}..${maxMs} ms between files: expected 10 ms to 1 h, shortest first`,
  );
}

function assertFaults(faults: FaultShares): void {
  try {
    assertShares(faults);
  } catch (error) {
    throw error instanceof InvalidFaults ? new InvalidChange(error.message) : error;
  }
}
