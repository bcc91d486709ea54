import type { Profile } from "./profile.ts";
import { Prng, STREAM } from "./prng.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/**
 * How traffic rises and falls: by hour of the day, weekday and the odd peak day, in UTC; 1 on
 * average. Constant within each hour.
 */
export class Season {
  private readonly hours: readonly number[];
  private readonly weekdays: readonly number[];
  private readonly peaks: Profile["peaks"];
  private readonly dayMean: number;
  private readonly prng: Prng;
  private day = NaN;
  private dayFactor = 0;

  constructor(private readonly seed: number, profile: Profile) {
    this.hours = normalised(profile.hours);
    this.weekdays = normalised(profile.weekdays);
    this.peaks = profile.peaks;
    const { probability, lowest, highest } = profile.peaks;
    this.dayMean = 1 + probability * ((lowest + highest) / 2 - 1);
    this.prng = new Prng(seed, STREAM.dayPeak);
  }

  /** The factor at a time, epoch milliseconds. */
  at(time: number): number {
    const day = Math.floor(time / DAY);
    if (day !== this.day) {
      this.day = day;
      this.dayFactor = this.ofDay(day);
    }
    return this.dayFactor * this.hours[Math.floor((time - day * DAY) / HOUR)]!;
  }

  /** The largest factor between two times, epoch milliseconds. */
  highest(from: number, to: number): number {
    let highest = this.at(from);
    for (let hour = Math.floor(from / HOUR) + 1; hour * HOUR < to; hour++) {
      highest = Math.max(highest, this.at(hour * HOUR));
    }
    return highest;
  }

  private ofDay(day: number): number {
    const { probability, lowest, highest } = this.peaks;
    this.prng.restart(this.seed, STREAM.dayPeak, day);
    const peak = this.prng.uniform() < probability
      ? lowest + (highest - lowest) * this.prng.uniform()
      : 1;
    // 1970-01-01 was a Thursday.
    return peak / this.dayMean * this.weekdays[(day + 4) % 7]!;
  }
}

function normalised(weights: readonly number[]): number[] {
  const mean = weights.reduce((sum, weight) => sum + weight, 0) / weights.length;
  return weights.map((weight) => weight / mean);
}
