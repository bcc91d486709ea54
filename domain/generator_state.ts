import { type RateHistory, trimRates } from "./generator/rate_history.ts";

/** Shortest and longest wait between two files, milliseconds; each wait is drawn uniformly between them. */
export interface Interval {
  minMs: number;
  maxMs: number;
}

/** The durable generator as one plain value: what continue-as-new carries, and what decides every file's bytes. */
export interface GeneratorState {
  /** Absolute path of the folder that files land in. */
  directory: string;
  seed: number;
  profile: string;
  /** What decides the sessions that can still emit events. */
  rates: RateHistory;
  interval: Interval;
  /** Feed time up to which events were landed, epoch milliseconds. */
  feedTime: number;
  /** Feed milliseconds per real millisecond; 1 is live. */
  speed: number;
  /** Number of the next file, from 1. */
  sequence: number;
  /** Stop after the file of this number; null: never. */
  lastSequence: number | null;
  paused: boolean;
  stopped: boolean;
  /** What has landed so far. */
  filesLanded: number;
  eventsLanded: number;
}

/** One file to land: the events of the feed window [from, to). */
export interface Tick {
  directory: string;
  seed: number;
  profile: string;
  rates: RateHistory;
  /** Epoch milliseconds. */
  from: number;
  /** Epoch milliseconds, exclusive. */
  to: number;
  sequence: number;
}

/** What a tick brought. */
export interface TickResult {
  fileName: string;
  events: number;
  bytes: number;
}

/** A change that a person asked for and that cannot be made; its message is shown to them. */
export class InvalidChange extends Error {
  override name = "InvalidChange";
}

/** Most events a second that a live generator takes: a worker that starts finds the sessions under way in 2 s. Beyond it, write in bulk. */
export const MAX_EVENTS_PER_SECOND = 2_000;

/**
 * Starts a generator.
 *
 * @param options Where, what and how fast; `now` is the real time, epoch milliseconds, and `from` the feed time to
 * start at.
 * @example
 * ```ts
 * import { startGenerator } from "./generator_state.ts";
 * import assert from "node:assert/strict";
 * const state = startGenerator({ directory: "/inbox", seed: 1, eventsPerSecond: 20, from: 0 });
 * assert.equal(state.sequence, 1);
 * ```
 */
export function startGenerator(
  { directory, seed, profile = "rees46", eventsPerSecond, from, interval, speed = 1, files = null }:
    {
      directory: string;
      seed: number;
      profile?: string;
      eventsPerSecond: number;
      from: number;
      interval?: Interval;
      speed?: number;
      files?: number | null;
    },
): GeneratorState {
  const chosen = interval ?? { minMs: 1_000, maxMs: 3_000 };
  assertRate(eventsPerSecond);
  assertInterval(chosen);
  if (files !== null && !(Number.isInteger(files) && files >= 1)) {
    throw new InvalidChange(`Cannot generate ${files} files: expected a whole number from 1`);
  }
  return {
    directory,
    seed,
    profile,
    rates: [{ from: 0, eventsPerSecond }],
    interval: chosen,
    feedTime: from,
    speed,
    sequence: 1,
    lastSequence: files,
    paused: false,
    stopped: false,
    filesLanded: 0,
    eventsLanded: 0,
  };
}

/**
 * The file that is due once some real time has passed, cut at whole milliseconds.
 *
 * @param state The generator.
 * @param elapsedMs Real milliseconds since the last file, or since it was resumed.
 * @example
 * ```ts
 * import { nextTick, startGenerator } from "./generator_state.ts";
 * import assert from "node:assert/strict";
 * const state = startGenerator({ directory: "/inbox", seed: 1, eventsPerSecond: 20, from: 5_000 });
 * const { from, to } = nextTick(state, 1_500);
 * assert.deepEqual([from, to], [5_000, 6_500]);
 * ```
 */
export function nextTick(state: GeneratorState, elapsedMs: number): Tick {
  const { directory, seed, profile, rates, feedTime, speed, sequence } = state;
  const to = feedTime + Math.max(1, Math.floor(elapsedMs * speed));
  return { directory, seed, profile, rates, from: feedTime, to, sequence };
}

/** The generator after a file has landed; rates that nothing can depend on any more are dropped. */
export function afterTick(
  state: GeneratorState,
  tick: Tick,
  { events }: TickResult,
): GeneratorState {
  return {
    ...state,
    feedTime: tick.to,
    sequence: tick.sequence + 1,
    rates: trimRates(state.rates, tick.to),
    filesLanded: state.filesLanded + 1,
    eventsLanded: state.eventsLanded + events,
    stopped: state.stopped || tick.sequence === state.lastSequence,
  };
}

/**
 * Changes the rate from the current feed time on; sessions that have begun keep theirs.
 *
 * @param state The generator.
 * @param eventsPerSecond Events a second, averaged over a week.
 * @throws {InvalidChange} when the rate is not within bounds.
 */
export function withRate(state: GeneratorState, eventsPerSecond: number): GeneratorState {
  assertRate(eventsPerSecond);
  const before = state.rates.filter(({ from }) => from < state.feedTime);
  const change = { from: state.feedTime, eventsPerSecond };
  const [first = change, ...later] = [...before, change];
  return { ...state, rates: [first, ...later] };
}

/** Pauses, resumes or stops: the validator of the updates, and their effect. */
export function withCommand(
  state: GeneratorState,
  command: "pause" | "resume" | "stop",
  now: number,
): GeneratorState {
  assertCommand(state, command);
  if (command === "stop") return { ...state, stopped: true };
  if (command === "pause") return { ...state, paused: true };
  // A live feed goes on with the present: what would have happened during the pause did not.
  const feedTime = state.speed === 1 ? Math.max(state.feedTime, now) : state.feedTime;
  return { ...state, paused: false, feedTime };
}

/** Throws when a command makes no sense now. */
export function assertCommand(state: GeneratorState, command: "pause" | "resume" | "stop"): void {
  if (state.stopped) throw new InvalidChange(`Cannot ${command}: the generator has stopped`);
  if (command === "pause" && state.paused) throw new InvalidChange("Cannot pause: already paused");
  if (command === "resume" && !state.paused) throw new InvalidChange("Cannot resume: not paused");
}

/** Throws when a rate is not within bounds. */
export function assertRate(eventsPerSecond: number): void {
  if (eventsPerSecond > 0 && eventsPerSecond <= MAX_EVENTS_PER_SECOND) return;
  throw new InvalidChange(
    `Cannot set the rate to ${eventsPerSecond} events a second: expected more than 0 and at most ${MAX_EVENTS_PER_SECOND}`,
  );
}

/** Throws when an interval is not within bounds. */
export function assertInterval({ minMs, maxMs }: Interval): void {
  if (minMs >= 10 && maxMs >= minMs && maxMs <= 3_600_000) return;
  throw new InvalidChange(
    `Cannot wait ${minMs}..${maxMs} ms between files: expected 10 ms to 1 h, shortest first`,
  );
}
