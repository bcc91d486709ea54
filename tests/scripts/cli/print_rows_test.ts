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
