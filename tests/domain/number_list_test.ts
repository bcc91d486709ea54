import assert from "node:assert/strict";
import { Float64List, Int32List } from "../../domain/number_list.ts";

for (
  const [name, make, largest] of [
    ["Int32List", () => new Int32List(), 2 ** 31 - 1],
    ["Float64List", () => new Float64List(), Number.MAX_SAFE_INTEGER],
  ] as const
) {
  Deno.test({
    name: `${name} keeps what was pushed, however often it grew`,
    permissions: "none",
    fn() {
      const list = make();
      const numbers = Array.from(
        { length: 1000 },
        (_, index) => index % 2 === 0 ? 1 - index : largest,
      );
      for (const number of numbers) list.push(number);
      assert.equal(list.length, 1000);
      assert.deepEqual([...list], numbers);
      assert.deepEqual(numbers.map((_, index) => list.at(index)), numbers);
      list.truncate(3);
      list.push(7);
      assert.deepEqual([...list.items()], [...numbers.slice(0, 3), 7]);
    },
  });
}
