import assert from "node:assert/strict";
import { renderRows } from "../../../scripts/cli/print_rows.ts";

Deno.test("renderRows() wraps a column with a maximum, and leaves the others as they are", () => {
  const columns = [{ name: "file_name" }, { name: "reason", maxWidth: 14 }];
  const rows = [["events-20240101T000000Z-000007.csv", "header not recognised"], ["a.csv", null]];
  const lines = renderRows(columns, rows, "table").split("\n");
  assert.ok(
    lines.some((line) => /│ events-20240101T000000Z-000007\.csv │ header not +│/.test(line)),
  );
  assert.ok(lines.some((line) => /│ +│ recognised +│/.test(line)));
  assert.equal(lines[0]!.length, 1 + 36 + 1 + 16 + 1);
});

Deno.test("renderRows() neutralises what a spreadsheet would run, in CSV alone", () => {
  const columns = [{ name: "text" }, { name: "number", isNumber: true }];
  const cells = ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(1)", "\t=1", "a=1", ""];
  const rows = cells.map((text) => [text, "-5.00"]);
  assert.deepEqual(renderRows(columns, rows, "csv").split("\n").slice(1), [
    "'=cmd|' /C calc'!A0,-5.00",
    "'+1,-5.00",
    "'-1,-5.00",
    "'@SUM(1),-5.00",
    "'\t=1,-5.00",
    "a=1,-5.00",
    ",-5.00",
  ]);
  const json = JSON.parse(renderRows(columns, rows, "json"));
  assert.deepEqual(json.map((row: { text: string }) => row.text), cells);
});

Deno.test("renderRows() shows in a table no character that turns the screen or the order around", () => {
  const strange = "a\x1b[2J\t\r\u0085\u202ecsv.exe\u2066\u200f";
  const table = renderRows([{ name: "text" }], [[strange]], "table");
  assert.ok(table.includes("a\ufffd[2J\ufffd\ufffd\ufffd\ufffdcsv.exe\ufffd\ufffd"), table);
  assert.equal(
    JSON.parse(renderRows([{ name: "text" }], [[strange]], "json"))[0].text,
    strange,
    "exact",
  );
});
