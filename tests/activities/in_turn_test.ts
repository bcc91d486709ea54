import assert from "node:assert/strict";
import { inTurn } from "../../activities/in_turn.ts";

Deno.test("inTurn() begins work when the work before it has ended, the urgent behind its step", async () => {
  const log: string[] = [];
  const work = (name: string) =>
    function* () {
      log.push(`${name} 1`);
      yield;
      log.push(`${name} 2`);
      return name;
    };
  const names = await Promise.all([
    inTurn(work("first")),
    inTurn(work("second")),
    inTurn(work("urgent"), { isUrgent: true }),
    inTurn(work("too"), { isUrgent: true }),
  ]);
  assert.deepEqual(names, ["first", "second", "urgent", "too"]);
  const between = ["urgent 1", "urgent 2", "too 1", "too 2"];
  assert.deepEqual(log, ["first 1", ...between, "first 2", "second 1", "second 2"]);
});

Deno.test("inTurn() does urgent work that comes with the last step before others begin", async () => {
  const log: string[] = [];
  const note = (name: string) =>
    // deno-lint-ignore require-yield
    function* () {
      log.push(name);
    };
  const urgent: Promise<void>[] = [];
  await Promise.all([
    inTurn(function* () {
      yield;
      urgent.push(inTurn(note("urgent"), { isUrgent: true }));
      log.push("first");
    }),
    inTurn(note("second")),
  ]);
  await Promise.all(urgent);
  await inTurn(note("third"), { isUrgent: true });
  assert.deepEqual(log, ["first", "urgent", "second", "third"]);
});

Deno.test("inTurn() does urgent work whenever it comes around the end of other work", async () => {
  for (let ticks = 0; ticks < 10; ticks++) {
    const urgent = Promise.withResolvers<void>();
    await inTurn(function* () {
      yield;
      (async () => {
        for (let tick = 0; tick < ticks; tick++) await null;
        await inTurn(() => [][Symbol.iterator](), { isUrgent: true });
        urgent.resolve();
      })();
    });
    const late = AbortSignal.timeout(5_000);
    late.onabort = () => urgent.reject(new Error(`stuck behind ${ticks} ticks`));
    await urgent.promise;
    late.onabort = null;
  }
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
