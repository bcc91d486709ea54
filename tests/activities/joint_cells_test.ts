import { Buffer } from "node:buffer";
import assert from "node:assert/strict";
import fc from "fast-check";
import { BinaryCells, BinaryRows } from "../../activities/statements/binary_rows.ts";
import { JointCells } from "../../activities/statements/joint_cells.ts";

const COLUMNS = 3;

/** Cells of `a`, `bb`, `ccc` and so on. */
function cellsOf(values: number): BinaryCells {
  const cells = new BinaryCells();
  for (let value = 0; value < values; value++) {
    cells.putText(String.fromCharCode(97 + value).repeat(value + 1));
    cells.endCell();
  }
  return cells;
}

Deno.test({
  name: "JointCells puts what its columns put by themselves, chunk after chunk",
  permissions: "none",
  fn() {
    const values = 5;
    const record = fc.tuple(...Array.from({ length: COLUMNS }, () => fc.nat(values - 1)));
    const chunks = fc.array(fc.array(record, { maxLength: 40 }), { maxLength: 4 });
    fc.assert(fc.property(chunks, fc.constantFrom(0, 50, 1_000), (chunks, maxBytes) => {
      const cells = Array.from({ length: COLUMNS }, () => cellsOf(values));
      let joint: JointCells | undefined;
      for (const records of chunks) {
        const columns = cells.map((cells, column) => ({
          cells,
          codeOf: Int32Array.from(records, (codes) => codes[column]!),
        }));
        joint ??= new JointCells(columns, maxBytes);
        const [together, apart] = [new BinaryRows(COLUMNS), new BinaryRows(COLUMNS)];
        for (let row = 0; row < records.length; row++) {
          for (const rows of [together, apart]) rows.beginRow();
          joint.putRow(together, columns, row);
          apart.putCells(columns, row);
        }
        assert.deepEqual(Buffer.concat(together.end()), Buffer.concat(apart.end()));
      }
    }));
  },
});

Deno.test({
  name: "JointCells are of the columns that share its values",
  permissions: "none",
  fn() {
    const column = (cells: BinaryCells) => ({ cells, codeOf: new Int32Array() });
    const [first, second] = [cellsOf(2), cellsOf(2)];
    const joint = new JointCells([column(first), column(second)]);
    assert.ok(joint.isOf([column(first), column(second)]));
    assert.ok(!joint.isOf([column(second), column(first)]));
    assert.ok(!joint.isOf([column(first)]));
  },
});
