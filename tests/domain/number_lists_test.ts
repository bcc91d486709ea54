import assert from "node:assert/strict";
import { Float64List, Int32List } from "../../domain/number_lists.ts";

for (const [List, most] of [[Int32List, 2 ** 31 - 1], [Float64List, 1e300]] as const) {
  Deno.test({
    name: `${List.name} keeps what was pushed, however often it grew`,
    permissions: "none",
    fn() {
      const list = new List();
      const numbers = Array.from(
        { length: 1000 },
        (_, index) => index % 2 === 0 ? 1 - index : most,
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
