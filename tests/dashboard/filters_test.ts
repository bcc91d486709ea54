import assert from "node:assert/strict";
import { FilterError, intervalOf, RANGES_MS, readFilters } from "../../dashboard/filters.ts";

const NOW = Date.UTC(2026, 2, 10, 12);
const read = (query: string) => readFilters(new URLSearchParams(query), NOW);

Deno.test("readFilters() shows the last hour of everything by default", () => {
  assert.deepEqual(read(""), {
    from: new Date(NOW - 3_600_000),
    to: new Date(NOW),
    device: null,
    category: null,
    currency: null,
  });
});

Deno.test("readFilters() reads ranges, periods and names", () => {
  assert.equal(read("range=7d").from.getTime(), NOW - 7 * 86_400_000);
  const { from, to } = read("from=2026-03-01T00:00:00Z&to=2026-03-02T00:00:00%2B01:00");
  assert.deepEqual([from.toISOString(), to.toISOString()], [
    "2026-03-01T00:00:00.000Z",
    "2026-03-01T23:00:00.000Z",
  ]);
  const { device, category, currency } = read("device=tablet&category=it's&currency=EUR");
  assert.deepEqual([device, category, currency], ["tablet", "it's", "EUR"]);
});

Deno.test("readFilters() refuses what cannot be shown", () => {
  for (
    const query of [
      "range=1y",
      "range=toString",
      "from=yesterday",
      "to=2026-03-01",
      "from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z",
      "device=tv",
      "currency=eur",
      "category=%00",
    ]
  ) assert.throws(() => read(query), FilterError, query);
});

Deno.test("intervalOf() cuts every range into a readable number of pieces", () => {
  for (const [range, ms] of Object.entries(RANGES_MS)) {
    const width = intervalOf(read(`range=${range}`));
    const [number, unit] = width.split(" ") as [string, string];
    const unitMs = {
      minute: 60_000,
      minutes: 60_000,
      hour: 3_600_000,
      hours: 3_600_000,
      day: 86_400_000,
    };
    const pieces = ms / (Number(number) * unitMs[unit as keyof typeof unitMs]);
    assert.ok(pieces >= 15 && pieces <= 90, `${range}: ${pieces} pieces of ${width}`);
  }
});
