import assert from "node:assert/strict";
import { measureProfile } from "../../../domain/generator/measure_profile.ts";
import { checkProfile } from "../../../scripts/check_profile.ts";

for (
  const { figure, lowest, highest, generated, inside } of checkProfile({ seed: 1, events: 250_000 })
) {
  Deno.test(`REES46 is like the shop it is named after: ${figure}`, () => {
    assert.ok(inside, `expected ${lowest} to ${highest} but got ${generated}`);
  });
}

/** A row of the columns that are measured. */
function row(
  time: string,
  type: string,
  [user, session]: [string, string],
  { product = "p1", category = "c", brand = "b", price = "1.00", device = "mobile" } = {},
): string[] {
  const name = "n";
  return [
    ...["id", `2026-01-05T${time}.000Z`, type, user, session, product, name, category, brand],
    ...[price, "USD", "1", "", device, "KZ"],
  ];
}

Deno.test("measureProfile() counts sessions, carts and prices", () => {
  const buyer: [string, string] = ["u1", "s1"];
  const abandoner: [string, string] = ["u1", "s2"];
  const bouncer: [string, string] = ["u2", "s3"];
  const direct: [string, string] = ["u3", "s4"];
  const measures = measureProfile([
    row("00:00:00", "product_view", buyer, { price: "10.00" }),
    row("00:01:00", "add_to_cart", buyer),
    row("00:02:00", "purchase", buyer),
    row("05:00:00", "product_view", abandoner, { device: "desktop" }),
    row("05:00:10", "add_to_cart", abandoner, { device: "desktop", brand: "" }),
    row("05:00:20", "remove_from_cart", abandoner, { device: "desktop", category: "" }),
    row("07:00:00", "product_view", bouncer, { product: "p2" }),
    row("09:00:00", "product_view", direct),
    row("09:00:30", "purchase", direct),
  ]);
  assert.deepEqual(
    {
      ...measures,
      weekdaySwing: 0,
      popularitySlope: Math.round(measures.popularitySlope * 100) / 100,
    },
    {
      events: 9,
      sessions: 4,
      meanSize: 2.25,
      medianSize: 2,
      sizeShares: [0.25, 0.75, 0, 0, 0, 0],
      buying: 0.5,
      carting: 0.5,
      abandoned: 0.5,
      direct: 0.5,
      medianSeconds: 20,
      medianBuyingSeconds: 30,
      views: 4 / 8,
      additions: 2 / 8,
      purchases: 2 / 8,
      removals: 0.5,
      priceQuartiles: [1, 1, 1],
      meanPrice: 2,
      brandEmpty: 1 / 9,
      categoryEmpty: 1 / 9,
      sessionsPerUser: 4 / 3,
      weekdaySwing: 0,
      hourQuartiles: [0, 5, 7],
      busiestDay: 1,
      popularitySlope: -3,
      topPercent: 0,
      topTenPercent: 0,
      desktop: 0.25,
      mobile: 0.75,
      tablet: 0,
    },
  );
});
