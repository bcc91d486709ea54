import type { ProfileMeasures } from "./measure_profile.ts";

/** A figure published about real shops, beside the same figure of generated events. */
export interface ComparedFigure {
  figure: string;
  /** As published, in the unit that the name says. */
  published: string;
  source: string;
  /** What the generated value may be. */
  lowest: number;
  highest: number;
  generated: number;
  inside: boolean;
}

const REES46 = "REES46 multi-category store, October 2019 to April 2020";
const OCTOBER = "REES46 multi-category store, October 2019";
const SYNERISE = "Synerise, RecSys Challenge 2025";
const GA4 = "Google Merchandise Store, GA4 sample";
const TOLERANCE = 0.15;

/** Sets measured figures beside the published ones: within 15 %, or within the range given. */
export function compareProfile(measures: ProfileMeasures): ComparedFigure[] {
  const percent = (share: number) => share * 100;
  const [one, few, some, many, more, most] = measures.sizeShares.map(percent);
  const [firstPrice, medianPrice, thirdPrice] = measures.priceQuartiles;
  const [firstHour, medianHour, thirdHour] = measures.hourQuartiles;
  return [
    near("events per session, mean", 4.59, measures.meanSize, REES46),
    near("events per session, median", 2, measures.medianSize, REES46),
    near("sessions of 1 event, %", 40.6, one!, REES46),
    near("sessions of 2-5 events, %", 36.7, few!, REES46),
    near("sessions of 6-10 events, %", 12.6, some!, REES46),
    near("sessions of 11-20 events, %", 7, many!, REES46),
    near("sessions of 21-50 events, %", 2.9, more!, REES46),
    near("sessions of over 50 events, %", 0.36, most!, REES46),
    near("sessions with a purchase, %", 6.08, percent(measures.buying), REES46),
    near("sessions that view and add to cart, %", 11.97, percent(measures.carting), REES46),
    near("carts abandoned, %", 54.1, percent(measures.abandoned), REES46),
    near("buying sessions without cart, %", 9.7, percent(measures.direct), REES46),
    near("session duration, median, s", 42, measures.medianSeconds, REES46),
    near("buying session duration, median, s", 264, measures.medianBuyingSeconds, REES46),
    within("views, % of events but removals", [93, 100], percent(measures.views), REES46),
    within("additions, % of the same", [2.6, 5], percent(measures.additions), REES46),
    within("purchases, % of the same", [1.4, 2], percent(measures.purchases), REES46),
    near("removals, % of additions", 33.3, percent(measures.removals), SYNERISE),
    near("price, first quartile", 66, firstPrice!, OCTOBER),
    near("price, median", 163, medianPrice!, OCTOBER),
    near("price, third quartile", 359, thirdPrice!, OCTOBER),
    near("price, mean", 290, measures.meanPrice, OCTOBER),
    near("events without brand, %", 14.4, percent(measures.brandEmpty), OCTOBER),
    near("events without category, %", 31.8, percent(measures.categoryEmpty), OCTOBER),
    within("sessions per user and 28 days", [2.8, 3.1], measures.sessionsPerUser, OCTOBER),
    // Twice the default: four weeks of noise move the largest of seven deviations.
    near("weekday swing, %", 7, percent(measures.weekdaySwing), OCTOBER, 2 * TOLERANCE),
    near("hour of day, first quartile, UTC", 6, firstHour!, OCTOBER, 0),
    near("hour of day, median, UTC", 11, medianHour!, OCTOBER, 0),
    near("hour of day, third quartile, UTC", 15, thirdHour!, OCTOBER, 0),
    within("busiest day, times the mean", [1, 2.9], measures.busiestDay, OCTOBER),
    near("popularity, log-log slope, ranks 1-1000", -0.65, measures.popularitySlope, OCTOBER),
    near("events of the top 1 % of products, %", 18, percent(measures.topPercent), OCTOBER),
    near("events of the top 10 % of products, %", 46, percent(measures.topTenPercent), OCTOBER),
    near("sessions on desktop, %", 58, percent(measures.desktop), GA4),
    near("sessions on mobile, %", 40, percent(measures.mobile), GA4),
    near("sessions on tablet, %", 2, percent(measures.tablet), GA4),
  ];
}

function near(
  figure: string,
  published: number,
  generated: number,
  source: string,
  tolerance = TOLERANCE,
): ComparedFigure {
  const margin = Math.abs(published) * tolerance;
  const [lowest, highest] = [published - margin, published + margin];
  const inside = generated >= lowest && generated <= highest;
  return { figure, published: String(published), source, lowest, highest, generated, inside };
}

function within(
  figure: string,
  [lowest, highest]: readonly [number, number],
  generated: number,
  source: string,
): ComparedFigure {
  const inside = generated >= lowest && generated <= highest;
  return { figure, published: `${lowest}-${highest}`, source, lowest, highest, generated, inside };
}
