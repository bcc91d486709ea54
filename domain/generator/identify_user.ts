import { normalQuantile } from "./normal_quantile.ts";
import { Prng, STREAM } from "./prng.ts";
import type { Profile } from "./profile.ts";
import { WeightedChoice } from "./weighted_choice.ts";

const DAY_MS = 86_400_000;
const DAYS_28_S = 28 * 86_400;

/** Who a session belongs to. */
export interface User {
  userId: string;
  /** The one used most. */
  mainDevice: string;
  country: string;
}

/**
 * Finds the user of each session without keeping any.
 *
 * A user holds a sliver of the demand axis (`draw_arrivals.ts`) for as long as he stays: sessions
 * whose demand falls into the sliver are his. So people have the same number of sessions at any rate
 * of the stream, a higher rate brings more people, and after someone left the sliver's next one is
 * new to the shop. Stays differ widely, which makes few frequent users and many passers-by.
 */
export class UserDirectory {
  private readonly prng = new Prng(0);
  private readonly countries: WeightedChoice;
  private readonly devices: WeightedChoice;
  private readonly slotHeight: number;

  constructor(private readonly seed: number, private readonly profile: Profile) {
    this.slotHeight = profile.users.sessions28d / DAYS_28_S;
    this.countries = new WeightedChoice(profile.countries.map(({ weight }) => weight));
    this.devices = new WeightedChoice(profile.devices.map(({ weight }) => weight));
  }

  /** The user of a session with this demand (sessions a second) and start (epoch milliseconds). */
  find(demand: number, start: number): User {
    const { prng } = this;
    const { stayDays, staySpread } = this.profile.users;
    const slot = Math.floor(demand / this.slotHeight);
    prng.restart(this.seed, STREAM.slot, slot);
    const stay = stayDays * Math.exp(staySpread * normalQuantile(prng.uniform()));
    const generation = Math.floor(start / DAY_MS / stay + prng.uniform());
    prng.restart(this.seed, STREAM.user, slot, generation);
    const userId = String(1e9 + prng.below(9000) * 1e6 + prng.below(1e6));
    return {
      userId,
      mainDevice: this.drawDevice(prng.uniform()),
      country: this.profile.countries[this.countries.pick(prng.uniform())]!.value,
    };
  }

  /** Any device, as often as people use it. */
  drawDevice(uniform: number): string {
    return this.profile.devices[this.devices.pick(uniform)]!.value;
  }
}
