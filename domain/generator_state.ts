import type { FaultShares } from "./generator/fault_shares.ts";
import { rateAt, type RateHistory, trimRates } from "./generator/rate_history.ts";

/** Shortest and longest wait between two files, milliseconds; each wait is drawn uniformly between them. */
export interface Interval {
  minMs: number;
  maxMs: number;
}

/** The durable generator as one plain value: what continue-as-new carries, and what decides every file's bytes. */
export interface GeneratorState {
  /** Absolute path of the folder that files land in. */
  directory: string;
  /** Absolute path of the folder that says what faults were planted; one file for each that has some. */
  truthDirectory: string;
  seed: number;
  profile: string;
  /** What decides the sessions that can still emit events. */
  rates: RateHistory;
  faults: FaultShares;
  interval: Interval;
  /** Feed time up to which events were landed, epoch milliseconds. */
  feedTime: number;
  /** Real time at which the feed was due to be there, epoch milliseconds; null before the first run. */
  reachedAt: number | null;
  /** Feed time from which on files are side by side, of one seed, and with these faults. */
  since: number;
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
  faultsPlanted: number;
}

/** One file to land: the events of the feed window [from, to). */
export interface Tick {
  directory: string;
  truthDirectory: string;
  seed: number;
  profile: string;
  rates: RateHistory;
  faults: FaultShares;
  /** No event from before this feed time was written. */
  since: number;
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
  /** Faults planted. */
  faults: number;
}

/** How much later than its event the copy of a record may be written, in feed milliseconds. */
export const LONGEST_DELAY_MS = 60_000;

/** What a generator that fell behind catches up with file by file, by its rate; the hour of the day may bring four times that. */
const EVENTS_PER_FILE = 50_000;

/**
 * The file that is due. A feed that fell behind takes the time it missed piece by piece; one that is
 * faster than life and meets the present is cut there.
 *
 * @param state The generator.
 * @param now Real time, epoch milliseconds.
 * @example
 * ```ts
 * import { nextTick } from "./generator_state.ts";
 * import { startGenerator } from "./generator_change.ts";
 * import assert from "node:assert/strict";
 * const state = startGenerator({
 *   ...{ directory: "/inbox", truthDirectory: "/truth" },
 *   ...{ seed: 1, eventsPerSecond: 20, from: 5_000, speed: 10 },
 * });
 * const { from, to } = nextTick({ ...state, reachedAt: 60_000 }, 61_500);
 * assert.deepEqual([from, to], [5_000, 20_000]);
 * ```
 */
export function nextTick(state: GeneratorState, now: number): Tick {
  const { directory, truthDirectory, seed, profile, rates, faults, since, sequence } = state;
  const { feedTime, speed, reachedAt } = state;
  const elapsed = Math.max(0, now - (reachedAt ?? now));
  const eventsPerMs = rateAt(rates, feedTime) / 1_000;
  const most = Math.min(EVENTS_PER_FILE / eventsPerMs, timeToPresent(state));
  const to = feedTime + Math.max(1, Math.floor(Math.min(elapsed * speed, most)));
  return {
    ...{ directory, truthDirectory, seed, profile, rates, faults, since },
    ...{ from: feedTime, to, sequence },
  };
}

/** Feed milliseconds until a fast feed meets the present. */
function timeToPresent({ feedTime, speed, reachedAt }: GeneratorState): number {
  if (speed <= 1 || reachedAt === null) return Infinity;
  return Math.ceil(Math.max(0, reachedAt - feedTime) / (speed - 1) * speed);
}

/** The generator after a file has landed; rates that nothing can depend on any more are dropped. */
export function afterTick(
  state: GeneratorState,
  tick: Tick,
  { events, faults }: TickResult,
): GeneratorState {
  const reachedAt = (state.reachedAt ?? tick.to) + (tick.to - tick.from) / state.speed;
  const meetsPresent = state.speed > 1 && tick.to >= reachedAt;
  return {
    ...state,
    feedTime: tick.to,
    ...(meetsPresent ? { speed: 1, reachedAt: tick.to } : { reachedAt }),
    sequence: tick.sequence + 1,
    rates: trimRates(state.rates, tick.to - LONGEST_DELAY_MS),
    filesLanded: state.filesLanded + 1,
    eventsLanded: state.eventsLanded + events,
    faultsPlanted: state.faultsPlanted + faults,
    stopped: state.stopped || tick.sequence === state.lastSequence,
  };
}

/** Is more due than one wait's worth? Then the next file does not wait. */
export function isBehind({ reachedAt, interval }: GeneratorState, now: number): boolean {
  return reachedAt !== null && now - reachedAt > interval.maxMs;
}

/** Does the feed keep up with the present, rather than replay a past? */
export function isLive({ speed, reachedAt, feedTime }: GeneratorState): boolean {
  return speed === 1 && (reachedAt === null || reachedAt - feedTime < LIVE_WITHIN_MS);
}

const LIVE_WITHIN_MS = 60_000;
