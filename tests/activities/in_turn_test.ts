import assert from "node:assert/strict";
import { inTurn } from "../../activities/in_turn.ts";

Deno.test("inTurn() begins work when the work before it has ended, the urgent first", async () => {
  const begun: string[] = [];
  const ended: string[] = [];
  const work = (name: string) =>
    function* () {
      begun.push(name);
      assert.equal(begun.length, ended.length + 1, "one at a time");
      yield;
      yield;
      ended.push(name);
      return name;
    };
  const names = await Promise.all([
    inTurn(work("first")),
    inTurn(work("second")),
    inTurn(work("urgent"), { isUrgent: true }),
  ]);
  assert.deepEqual(names, ["first", "second", "urgent"]);
  assert.deepEqual(ended, ["first", "urgent", "second"]);
});

Deno.test("inTurn() goes on behind work that fails, and tells who asked for it", async () => {
  const failing = inTurn(function* () {
    yield;
    throw new Error("broken");
  });
  const next = inTurn(function* () {
    yield;
    return "done";
  });
  await assert.rejects(failing, /^Error: broken$/);
  assert.equal(await next, "done");
});

Deno.test("inTurn() lets sockets go on between steps", async () => {
  using server = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepted = server.accept();
  using client = await Deno.connect({ hostname: "127.0.0.1", port: server.addr.port });
  using connection = await accepted;
  let trips = 0;
  const pingPong = (async () => {
    for (; trips < TRIPS; trips++) {
      await connection.write(new Uint8Array(1));
      await client.read(new Uint8Array(1));
    }
  })();
  const steps = await inTurn(function* () {
    let step = 0;
    for (; trips < TRIPS && step < MOST_STEPS; step++) yield;
    return step;
  });
  await pingPong;
  assert.ok(steps < MOST_STEPS, `${steps} steps for ${TRIPS} trips`);
});

const TRIPS = 20;
/** Behind `setImmediate`, sockets are looked at every 61st time: that takes twice as many. */
const MOST_STEPS = 600;
