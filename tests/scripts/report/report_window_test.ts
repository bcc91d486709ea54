import assert from "node:assert/strict";
import {
  choosePeriod,
  chooseWidth,
  readCurrency,
  readPeriod,
  readTimeZone,
} from "../../../scripts/report/report_window.ts";

const NOW = Date.UTC(2026, 2, 10, 12);
const HOUR = 3_600_000;

Deno.test("readPeriod() knows hours, days and weeks", () => {
  assert.deepEqual(["1h", "24h", "7d", "8w"].map(readPeriod), [
    HOUR,
    24 * HOUR,
    7 * 24 * HOUR,
    56 * 24 * HOUR,
  ]);
  for (const text of ["", "0d", "7", "1m", "-1d", "1.5h", "7days"]) {
    assert.throws(() => readPeriod(text), /expected a period/, text);
  }
});

Deno.test("readTimeZone() takes names, and no offsets", () => {
  assert.equal(readTimeZone("Europe/Berlin"), "Europe/Berlin");
  assert.equal(readTimeZone("UTC"), "UTC");
  for (const text of ["+02:00", "Mars/Olympus", "", "x'; drop table"]) {
    assert.throws(() => readTimeZone(text), /name of a time zone/, text);
  }
});

Deno.test("readCurrency() takes three letters", () => {
  assert.equal(readCurrency("eur"), "EUR");
  assert.throws(() => readCurrency("EURO"), /ISO 4217/);
});

Deno.test("choosePeriod() counts back from the end", () => {
  const day = choosePeriod({ last: 24 * HOUR }, NOW);
  assert.deepEqual(day, { from: new Date(NOW - 24 * HOUR), to: new Date(NOW) });
  const ended = choosePeriod({ last: HOUR, to: NOW - HOUR }, NOW);
  assert.deepEqual(ended, { from: new Date(NOW - 2 * HOUR), to: new Date(NOW - HOUR) });
  assert.equal(choosePeriod({}, NOW).from.getTime(), NOW - 7 * 24 * HOUR);
  assert.throws(() => choosePeriod({ last: HOUR, from: 0 }, NOW), /either --last or --from/);
  assert.throws(() => choosePeriod({ from: NOW }, NOW), /at or behind/);
});

Deno.test("chooseWidth() cuts into a readable number of pieces", () => {
  const width = (hours: number) => chooseWidth(choosePeriod({ last: hours * HOUR }, NOW));
  assert.deepEqual([1, 24, 7 * 24, 56 * 24].map(width), ["5 minutes", "1 hour", "1 day", "7 days"]);
});
