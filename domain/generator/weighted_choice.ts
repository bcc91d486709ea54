/**
 * Draws an index with probability proportional to its weight, in constant time (Walker's alias
 * method, built as in Vose 1991).
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const coin = new WeightedChoice([3, 1]);
 * const sides = Array.from({ length: 100 }, (_, index) => coin.pick((index + 0.5) / 100));
 * assert.equal(sides.filter((side) => side === 0).length, 75);
 * ```
 */
export class WeightedChoice {
  private readonly keep: Float64Array;
  private readonly other: Uint32Array;

  /** @param weights Non-negative, at least one of them positive. */
  constructor(weights: ArrayLike<number>) {
    const count = weights.length;
    let total = 0;
    for (let index = 0; index < count; index++) total += weights[index]!;
    this.keep = new Float64Array(count);
    this.other = new Uint32Array(count);
    const small: number[] = [];
    const large: number[] = [];
    for (let index = 0; index < count; index++) {
      this.keep[index] = weights[index]! * count / total;
      (this.keep[index]! < 1 ? small : large).push(index);
    }
    while (small.length > 0 && large.length > 0) {
      const poor = small.pop()!;
      const rich = large[large.length - 1]!;
      this.other[poor] = rich;
      this.keep[rich] = this.keep[rich]! - (1 - this.keep[poor]!);
      if (this.keep[rich]! < 1) small.push(large.pop()!);
    }
    // What rounding left over is as good as 1.
    for (const index of [...small, ...large]) this.keep[index] = 1;
  }

  /** The index that a uniform number of [0, 1) stands for. */
  pick(uniform: number): number {
    const scaled = uniform * this.keep.length;
    const index = Math.floor(scaled);
    return scaled - index < this.keep[index]! ? index : this.other[index]!;
  }
}
