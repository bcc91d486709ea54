import { Prng, STREAM } from "./prng.ts";
import type { SessionClass } from "./profile.ts";
import type { Season } from "./season.ts";

/**
 * Sessions that could begin, as a Poisson process in the plane of time and demand.
 *
 * Each candidate has a start and a demand, the rate in sessions a second from which on it really
 * begins: it is kept if demand < rate(start), so raising the rate adds sessions and lowering it
 * takes some away, without touching any other. This is thinning with a uniform mark (Lewis and
 * Shedler 1979); here the mark times the maximum rate is the demand.
 *
 * A plain maximum would make slow streams pay for the fastest one thinkable, so the axis of demand is
 * cut into layers of doubling height, each an independent process of its own, and only the layers
 * below the highest rate wanted are drawn. Time is cut into buckets of about 64 candidates; each
 * (class, layer, bucket) has its own random sequence, so any of them is drawn alone.
 */
export interface Arrivals {
  readonly count: number;
  /** {@linkcode ARRIVAL_FIELDS} numbers for each candidate, ordered by start. */
  readonly numbers: Float64Array;
}

/**
 * Numbers for each candidate of {@linkcode Arrivals}: start (epoch milliseconds, whole), demand
 * (sessions a second), and two uniform numbers that decide its size and duration.
 */
export const ARRIVAL_FIELDS = 4;

/** Height of the lowest layer, in sessions a second. */
const LOWEST_LAYER = 2 ** -10;
const CANDIDATES_PER_BUCKET = 64;
const LONGEST_BUCKET_S = 2 ** 16;

/** The layers that a stream of this many sessions a second needs: 0 to this number, exclusive. */
export function layersBelow(sessionsPerSecond: number): number {
  if (sessionsPerSecond <= 0) return 0;
  return 1 + Math.max(0, Math.ceil(Math.log2(sessionsPerSecond / LOWEST_LAYER)));
}

/** Length of a layer's buckets in milliseconds. */
export function bucketLength(layer: number, share: number): number {
  const seconds = CANDIDATES_PER_BUCKET / (layerHeight(layer) * share);
  return 1000 * 2 ** Math.floor(Math.log2(Math.min(Math.max(seconds, 1), LONGEST_BUCKET_S)));
}

function layerHeight(layer: number): number {
  return layer === 0 ? LOWEST_LAYER : LOWEST_LAYER * 2 ** (layer - 1);
}

/** The process that candidates are drawn from. */
export interface ArrivalProcess {
  seed: number;
  /** How traffic rises and falls; candidates follow it already. */
  season: Season;
  sessionClass: SessionClass;
  /** The class's index in the profile. */
  classIndex: number;
}

/**
 * Draws the candidates of one bucket.
 *
 * @param process What to draw from.
 * @param layer From 0.
 * @param bucket Number of the bucket, counted from 1970 in lengths of {@linkcode bucketLength}.
 * @returns The candidates of the bucket.
 */
export function drawArrivals(
  { seed, season, sessionClass, classIndex }: ArrivalProcess,
  layer: number,
  bucket: number,
): Arrivals {
  const length = bucketLength(layer, sessionClass.share);
  const from = bucket * length;
  const to = from + length;
  const height = layerHeight(layer);
  const bottom = layer === 0 ? 0 : height;
  const highest = season.highest(from, to);
  const meanGap = 1000 / (height * sessionClass.share * highest);
  const prng = new Prng(seed, STREAM.arrivals, bucket, layer, classIndex);

  let numbers = new Float64Array(ARRIVAL_FIELDS * 2 * CANDIDATES_PER_BUCKET);
  let used = 0;
  for (let time = from;;) {
    time += prng.exponential() * meanGap;
    if (time >= to) return { count: used / ARRIVAL_FIELDS, numbers };
    const seasonMark = prng.uniform() * highest;
    const demand = bottom + height * prng.uniform();
    const forSize = prng.uniform();
    const forDuration = prng.uniform();
    if (seasonMark >= season.at(time)) continue;
    if (used === numbers.length) numbers = doubled(numbers);
    numbers[used] = Math.floor(time);
    numbers[used + 1] = demand;
    numbers[used + 2] = forSize;
    numbers[used + 3] = forDuration;
    used += ARRIVAL_FIELDS;
  }
}

function doubled(numbers: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(2 * numbers.length);
  larger.set(numbers);
  return larger;
}
