import { z } from "zod";
import type { Profile } from "../../domain/generator/profile.ts";
import { LONGEST_SESSION_MS } from "../../domain/generator/rate_history.ts";
import { DEVICES } from "../../domain/shop_events.ts";
import { TaskError } from "../cli/failures.ts";

const share = z.number().min(0).max(1);
const positive = z.number().positive();
const weight = z.number().nonnegative();
const some = (weights: readonly number[]) => weights.some((weight) => weight > 0);

const SessionClass = z.strictObject({
  smallest: z.int().min(1),
  largest: z.int().max(1_000),
  share,
  decay: z.number(),
  longestMs: z.number().min(0).max(LONGEST_SESSION_MS),
  cart: share,
  buyFromCart: share,
  buyDirectly: share,
}).refine(({ smallest, largest }) => smallest <= largest, "expected smallest up to largest");

const Category = z.strictObject({
  name: z.string().max(200),
  share: weight,
  medianPrice: positive,
  priceSpread: weight,
  nouns: z.array(z.string().min(1).max(100)).min(1),
  brands: z.int().min(0).max(160),
});

const ProfileFile = z.strictObject({
  name: z.string().min(1),
  currency: z.string().regex(/^[A-Z]{3}$/),
  products: z.int().min(1).max(1_000_000),
  popularity: z.strictObject({ offset: z.number().nonnegative(), decay: z.number() }),
  categories: z.array(Category).min(1).refine((all) => some(all.map(({ share }) => share))),
  unbranded: share,
  prices: z.strictObject({ lowest: positive, highest: z.number().max(9_999_999_999) })
    .refine(({ lowest, highest }) => lowest <= highest, "expected lowest up to highest"),
  promotions: share,
  sessions: z.array(SessionClass).min(1).refine(
    (all) => Math.abs(all.reduce((sum, { share }) => sum + share, 0) - 1) < 0.01,
    "expected shares that add up to 1",
  ),
  duration: z.strictObject({ medianMs: positive, growth: z.number(), spread: weight }),
  cart: z.strictObject({ addMore: share, takeBack: share, anotherPiece: share }),
  browsing: z.strictObject({ seenAgain: share, sameCategory: share }),
  hours: z.array(weight).length(24).refine(some),
  weekdays: z.array(weight).length(7).refine(some),
  peaks: z.strictObject({ probability: share, lowest: positive, highest: positive }),
  users: z.strictObject({ sessions28d: positive, stayDays: positive, staySpread: weight }),
  devices: z.array(z.strictObject({ value: z.enum(DEVICES), weight })).min(1),
  mainDevice: share,
  countries: z.array(z.strictObject({ value: z.string().regex(/^[A-Z]{2}$/), weight })).min(1),
});

/**
 * Reads a shop that somebody described as JSON, in the form of {@linkcode Profile}.
 *
 * @throws {TaskError} naming what is wrong with it
 */
export async function readProfile(path: string): Promise<Profile> {
  let json: unknown;
  try {
    json = JSON.parse(await Deno.readTextFile(path));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new TaskError(`Cannot read the profile ${path}: ${why}`);
  }
  const { success, data, error } = ProfileFile.safeParse(json);
  if (success) return data;
  throw new TaskError(`Cannot use the profile ${path}:\n${z.prettifyError(error)}`);
}
