import assert from "node:assert/strict";
import { blockBar, shade, sparkline } from "../../../scripts/report/plots.ts";

Deno.test("blockBar() is as long as the value, in eighths", () => {
  assert.equal(blockBar(10, 10, 4), "████");
  assert.equal(blockBar(5, 10, 4), "██");
  assert.equal(blockBar(5.4, 10, 4), "██▏");
  assert.equal(blockBar(0.0001, 10, 4), "▏", "what is there is seen");
  assert.equal(blockBar(0, 10, 4), "");
  assert.equal(blockBar(-1, 10, 4), "");
  assert.equal(blockBar(0, 0, 4), "");
});

Deno.test("sparkline() begins at zero, and puts values together where there are too many", () => {
  assert.equal(sparkline([0, 1, 4, 8]), " ▂▅█");
  assert.equal(sparkline([8, 8, 0, 0], 2), "█ ");
  assert.equal(sparkline([0, 0]), "  ");
  assert.equal(sparkline([]), "");
  assert.equal(sparkline(Array.from({ length: 1_000 }, () => 1), 60).length, 60);
});

Deno.test("shade() tells nothing from no value", () => {
  assert.equal(shade(null, 10), "  ");
  assert.equal(shade(0, 10), "··");
  assert.equal(shade(0.1, 10), "░░");
  assert.equal(shade(10, 10), "██");
  assert.equal(shade(99, 10), "██");
  assert.equal(shade(0, 0), "··");
});
