import assert from "node:assert/strict";
import fc from "fast-check";
import { groupRows } from "../../activities/statements/group_rows.ts";
import type { Codes } from "../../domain/accepted_records.ts";

/** Columns of so many values, each with a code for every row. */
function columns(counts: readonly number[], rows: readonly (readonly number[])[]) {
  return counts.map((count, column): Codes<number> => ({
    codeOf: Int32Array.from(rows, (codes) => codes[column]!),
    values: new Array<number>(count).fill(0),
  }));
}

/** The same by a `Map` of texts. */
function groupsOf(rows: readonly (readonly number[])[]): number[] {
  const groups = new Map<string, number>();
  return rows.map((codes) => {
    const group = groups.get(`${codes}`) ?? groups.size;
    groups.set(`${codes}`, group);
    return group;
  });
}

Deno.test({
  name: "groupRows() gives one number to rows that are equal in all columns, and to no others",
  permissions: "none",
  fn() {
    const table = fc.array(fc.integer({ min: 1, max: 60_000 }), { minLength: 1, maxLength: 3 })
      .chain((counts) =>
        fc.record({
          counts: fc.constant(counts),
          rows: fc.array(
            fc.tuple(...counts.map((count) =>
              fc.oneof(
                fc.integer({ min: 0, max: count - 1 }),
                fc.integer({ min: 0, max: Math.min(count - 1, 2) }),
              )
            )),
            { size: "large" },
          ),
        })
      );
    fc.assert(fc.property(table, ({ counts, rows }) => {
      assert.deepEqual([...groupRows(columns(counts, rows))], groupsOf(rows));
    }));
  },
});

Deno.test({
  name: "groupRows() tells many groups apart whose combined codes go beyond 32 bits",
  permissions: "none",
  fn() {
    const counts = [60_000, 4, 4, 256, 65_536];
    const rows = Array.from({ length: 20_000 }, (_, row) => [
      ...[row * 7919 % 60_000, row % 4, row % 3, row % 256, row * 104_729 % 65_536],
    ]);
    // Combined, they differ by 2 to the 32.
    const apart = rows.map(([first, ...others]) => [(first! + 16) % 60_000, ...others]);
    const all = [...rows, ...apart, ...rows];
    const expected = groupsOf(all);
    assert.ok(new Set(expected).size > 30_000);
    assert.deepEqual([...groupRows(columns(counts, all))], expected);
    // In the memory that they have left.
    assert.deepEqual([...groupRows(columns([2], [[1], [0], [1]]))], [0, 1, 0]);
  },
});
