import { grown } from "../../domain/number_list.ts";
import { BinaryCells, type BinaryRows, type CellColumn } from "./binary_rows.ts";

const MAX_BYTES = 4 * 1024 * 1024;

/**
 * Values of several columns as one, copied in one go: with each value of the first column, the values of the others are
 * mostly those of the row before that had it.
 */
export class JointCells {
  readonly #parts: readonly BinaryCells[];
  readonly #maxBytes: number;
  #joint = new BinaryCells();
  /** By value of the first column: the number of what was made of it last, and 1, then the values of the others in that. */
  #made = new Int32Array();

  /**
   * @param columns At least one.
   * @param maxBytes Beyond them, what was made is forgotten.
   */
  constructor(columns: readonly CellColumn[], maxBytes = MAX_BYTES) {
    this.#maxBytes = maxBytes;
    this.#parts = columns.map(({ cells }) => cells);
  }

  /** Whether these columns have the values of those that it was made for. */
  isOf(columns: readonly CellColumn[]): boolean {
    return columns.length === this.#parts.length &&
      columns.every(({ cells }, index) => cells === this.#parts[index]);
  }

  /** Puts the values of a row. @param columns As for {@linkcode isOf}. */
  putRow(rows: BinaryRows, columns: readonly CellColumn[], row: number): void {
    const at = columns[0]!.codeOf[row]! * columns.length;
    if (at >= this.#made.length) {
      this.#made = grown(this.#made, Math.max(at + columns.length, 2 * this.#made.length));
    }
    const made = this.#made;
    let joint = made[at]! - 1;
    for (let index = 1; index < columns.length && joint >= 0; index++) {
      if (made[at + index] !== columns[index]!.codeOf[row]) joint = NONE;
    }
    if (joint === NONE) joint = this.#make(columns, row, at);
    rows.putCell(this.#joint, joint);
  }

  #make(columns: readonly CellColumn[], row: number, at: number): number {
    if (this.#joint.byteLength > this.#maxBytes) {
      this.#joint = new BinaryCells();
      this.#made.fill(0);
    }
    for (const [index, { cells, codeOf }] of columns.entries()) {
      this.#joint.putCell(cells, codeOf[row]!);
      this.#made[at + index] = codeOf[row]!;
    }
    const joint = this.#joint.endCell();
    this.#made[at] = joint + 1;
    return joint;
  }
}

const NONE = -1;
