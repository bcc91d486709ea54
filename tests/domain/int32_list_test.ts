import assert from "node:assert/strict";
import { Int32List } from "../../domain/int32_list.ts";

Deno.test({
  name: "Int32List keeps what was pushed, however often it grew",
  permissions: "none",
  fn() {
    const list = new Int32List();
    const numbers = Array.from(
      { length: 1000 },
      (_, index) => index % 2 === 0 ? 1 - index : 2 ** 31 - 1,
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
