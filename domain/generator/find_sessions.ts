import { ARRIVAL_FIELDS, bucketLength, drawArrivals, layersBelow } from "./draw_arrivals.ts";
import { normalQuantile } from "./normal_quantile.ts";
import { meanSessionEvents, type Profile, type SessionClass, sizeWeights } from "./profile.ts";
import { highestRate, rateAt, type RateHistory } from "./rate_history.ts";
import { Season } from "./season.ts";
import { WeightedChoice } from "./weighted_choice.ts";

/** A session before anything in it is decided but how many events it has and how long it takes. */
export interface Session {
  /** Together they name the session within its seed: 32 bits each but `bucket`, which may have more. */
  readonly bucket: number;
  readonly layerAndClass: number;
  readonly index: number;
  /** Epoch milliseconds, whole. */
  readonly start: number;
  readonly durationMs: number;
  /** Sessions a second from which on this one begins; see `draw_arrivals.ts`. */
  readonly demand: number;
  readonly size: number;
  readonly sessionClass: SessionClass;
}

/** Which sessions to find; times in epoch milliseconds. */
export interface SessionQuery {
  seed: number;
  profile: Profile;
  rates: RateHistory;
  /** Begun from here on; at most 2 h before `activeAt` makes a difference. */
  from: number;
  /** Begun before this. */
  to: number;
  /** Not over before this. */
  activeAt: number;
}

/**
 * Finds sessions. The many short ones are looked for just before `activeAt`, only the rare long ones
 * up to 2 h back.
 */
export function findSessions(
  { seed, profile, rates, from, to, activeAt }: SessionQuery,
): Session[] {
  const season = new Season(seed, profile);
  const sessionEvents = meanSessionEvents(profile);
  const sessions: Session[] = [];
  for (const [classIndex, sessionClass] of profile.sessions.entries()) {
    const earliest = Math.max(from, activeAt - sessionClass.longestMs);
    if (earliest >= to) continue;
    const sizes = new WeightedChoice(sizeWeights(sessionClass));
    const layers = layersBelow(highestRate(rates, earliest, to) / sessionEvents);
    for (let layer = 0; layer < layers; layer++) {
      const layerAndClass = layer << 16 | classIndex;
      const length = bucketLength(layer, sessionClass.share);
      for (let bucket = Math.floor(earliest / length); bucket * length < to; bucket++) {
        const { count, numbers } = drawArrivals(
          { seed, season, sessionClass, classIndex },
          layer,
          bucket,
        );
        for (let index = 0; index < count; index++) {
          const field = index * ARRIVAL_FIELDS;
          const start = numbers[field]!;
          if (start < earliest) continue;
          if (start >= to) break;
          const demand = numbers[field + 1]!;
          if (demand * sessionEvents >= rateAt(rates, start)) continue;
          const size = sessionClass.smallest + sizes.pick(numbers[field + 2]!);
          const durationMs = duration(size, numbers[field + 3]!, sessionClass, profile);
          if (start + durationMs < activeAt) continue;
          sessions.push({
            bucket,
            layerAndClass,
            index,
            start,
            durationMs,
            demand,
            size,
            sessionClass,
          });
        }
      }
    }
  }
  return sessions;
}

function duration(
  size: number,
  uniform: number,
  { longestMs }: SessionClass,
  { duration: { medianMs, growth, spread } }: Profile,
): number {
  if (size === 1) return 0;
  const median = medianMs * (size - 1) ** growth;
  const wanted = median * Math.exp(spread * normalQuantile(uniform));
  // The rare longer ones are spread over the allowed range, so that none pile up at its end.
  return wanted < longestMs ? wanted : longestMs * (uniform * 0x1_0000 % 1);
}
