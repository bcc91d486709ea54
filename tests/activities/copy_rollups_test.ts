import assert from "node:assert/strict";
import { type RollupCopy, routeRollups } from "../../activities/statements/copy_rollups.ts";

const DAY = Date.UTC(2026, 0, 5);

const CASES: {
  name: string;
  minutes: string[];
  before: string[];
  copied: string[];
  hours: string[];
  copies: string[];
}[] = [
  {
    name: "copies what nothing was copied of",
    minutes: ["10:00", "10:59", "12:30"],
    before: [],
    copied: ["10:00", "10:59", "12:30"],
    hours: ["10:00", "12:00"],
    copies: ["10:00-10:59", "12:30-12:30"],
  },
  {
    name: "lets neighbours of a file share a minute and its hour",
    minutes: ["10:20", "10:21", "11:00"],
    before: ["10:00-10:20"],
    copied: ["10:20", "10:21", "11:00"],
    hours: ["10:00", "11:00"],
    copies: ["10:20-10:21", "11:00-11:00"],
  },
  {
    name: "leaves an hour that two have copied, and goes on with its minutes",
    minutes: ["10:40", "10:41", "10:42"],
    before: ["10:00-10:20", "10:20-10:40"],
    copied: ["10:40", "10:41", "10:42"],
    hours: [],
    copies: ["10:40-10:42"],
  },
  {
    name: "leaves minutes that two have copied",
    minutes: ["10:09", "10:10", "10:12", "10:13"],
    before: ["10:00-10:12", "10:10-10:20"],
    copied: ["10:09", "10:13"],
    hours: [],
    copies: ["10:09-10:13"],
  },
  {
    name: "takes all minutes between the first and the last for copied",
    minutes: ["10:30"],
    before: ["10:00-10:59", "10:00-10:59"],
    copied: [],
    hours: [],
    copies: [],
  },
  {
    name: "judges each hour by itself",
    minutes: ["09:59", "10:30", "11:00"],
    before: ["10:00-10:59", "10:00-10:59"],
    copied: ["09:59", "11:00"],
    hours: ["09:00", "11:00"],
    copies: ["09:59-09:59", "11:00-11:00"],
  },
  { name: "copies nothing of nothing", minutes: [], before: [], copied: [], hours: [], copies: [] },
];

for (const { name, minutes, before, copied, hours, copies } of CASES) {
  Deno.test(`routeRollups() ${name}`, () => {
    const routes = routeRollups(minutes.map(timeOf), before.map(copyOf));
    assert.deepEqual([...routes.minutes], copied.map(timeOf));
    assert.deepEqual([...routes.hours], hours.map(timeOf));
    assert.deepEqual(routes.copies, copies.map(copyOf));
  });
}

Deno.test("routeRollups() keeps any number of chunks in any order to two copies of each period", () => {
  const before: RollupCopy[] = [];
  const [minuteCopies, hourCopies] = [new Map<number, number>(), new Map<number, number>()];
  let state = 4711;
  const random = (below: number) => (state = state * 48_271 % 2_147_483_647) % below;
  for (let chunk = 0; chunk < 500; chunk++) {
    const some = Array.from({ length: 1 + random(40) }, () => DAY + random(4 * 60) * 60_000);
    const minutes = [...new Set(some)].toSorted((a, b) => a - b);
    const routes = routeRollups(minutes, before);
    for (const minute of routes.minutes) count(minuteCopies, minute);
    for (const hour of routes.hours) count(hourCopies, hour);
    before.push(...routes.copies);
  }
  assert.equal(hourCopies.size, 4);
  assert.ok([...minuteCopies.values()].every((copies) => copies <= 2));
  assert.ok([...hourCopies.values()].every((copies) => copies === 2));
  // What is to be known does not grow for ever.
  assert.ok(before.length <= 4 * 60 * 2);
});

function count(copies: Map<number, number>, period: number): void {
  copies.set(period, (copies.get(period) ?? 0) + 1);
}

function timeOf(time: string): number {
  const [hour, minute] = time.split(":").map(Number);
  return DAY + (hour! * 60 + minute!) * 60_000;
}

function copyOf(range: string): RollupCopy {
  const [first, last] = range.split("-").map(timeOf);
  return { first: first!, last: last! };
}
