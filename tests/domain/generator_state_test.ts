import assert from "node:assert/strict";
import {
  type GeneratorChange,
  InvalidChange,
  startGenerator,
  withChange,
  withCommand,
} from "../../domain/generator_change.ts";
import {
  afterTick,
  type GeneratorState,
  isBehind,
  isLive,
  nextTick,
} from "../../domain/generator_state.ts";

const NOW = Date.UTC(2026, 5, 1);
const HOUR = 3_600_000;

function started(options: Partial<Parameters<typeof startGenerator>[0]> = {}): GeneratorState {
  const state = startGenerator({
    ...{ directory: "/inbox", truthDirectory: "/truth", seed: 1, eventsPerSecond: 20, from: NOW },
    ...options,
  });
  return { ...state, reachedAt: NOW };
}

/** Lands what is due at a time, and at once again while the generator is behind. */
function catchUp(state: GeneratorState, now: number): { state: GeneratorState; ticks: number } {
  let ticks = 0;
  do {
    const tick = nextTick(state, now);
    assert.equal(tick.from, state.feedTime);
    assert.ok(tick.to > tick.from);
    state = afterTick(state, tick, { fileName: "", events: 1, bytes: 1, faults: 0 });
    ticks++;
  } while (isBehind(state, now));
  return { state, ticks };
}

Deno.test("nextTick() takes all that a feed missed, piece by piece", () => {
  const { state, ticks } = catchUp(started({ eventsPerSecond: 200 }), NOW + 3 * HOUR);
  assert.ok(ticks > 20, `${ticks}`);
  assert.ok(NOW + 3 * HOUR - state.feedTime < state.interval.maxMs);
  assert.ok(isLive(state));
});

Deno.test("nextTick() lets a fast feed meet the present and go on live", () => {
  let state = started({ from: NOW - HOUR, speed: 100 });
  assert.ok(!isLive(state));
  for (let now = NOW; state.speed !== 1; now += 1_500) {
    assert.ok(now < NOW + HOUR);
    state = catchUp(state, now).state;
    assert.ok(state.feedTime <= now + 1, "from the future");
  }
  // 3,600 s at 100 times the speed of life, which has gone on meanwhile.
  assert.ok(Math.abs(state.feedTime - NOW - 3_600_000 / 99) < 1_500);
  assert.equal(state.reachedAt, state.feedTime);
  assert.ok(isLive(state));
});

Deno.test("withCommand() lets a live feed skip a pause, and a replay not", () => {
  const paused = withCommand(started(), "pause", NOW);
  const resumed = withCommand(paused, "resume", NOW + HOUR);
  assert.deepEqual([resumed.feedTime, resumed.since], [NOW + HOUR, NOW + HOUR]);
  assert.ok(!isBehind(resumed, NOW + HOUR));
  const replay = started({ from: NOW - 24 * HOUR });
  const again = withCommand(withCommand(replay, "pause", NOW), "resume", NOW + HOUR);
  assert.equal(again.feedTime, replay.feedTime);
});

Deno.test("withChange() changes all that is named from the feed time on", () => {
  const state = { ...started(), feedTime: NOW + HOUR };
  const interval = { minMs: 10, maxMs: 20 };
  const faults = { nul_byte: 0.5 };
  const changed = withChange(
    state,
    { eventsPerSecond: 7, interval, speed: 2, faults, files: 9, seed: 4 },
    NOW + HOUR,
  );
  assert.deepEqual(changed.rates.at(-1), { from: NOW + HOUR, eventsPerSecond: 7 });
  assert.deepEqual(
    [changed.interval, changed.speed, changed.faults, changed.lastSequence, changed.seed],
    [interval, 2, faults, 9, 4],
  );
  assert.equal(changed.since, NOW + HOUR);
  assert.equal(changed.feedTime, state.feedTime);
});

Deno.test("withChange() goes back in time with another seed only", () => {
  const state = started();
  assert.throws(() => withChange(state, { from: NOW - HOUR }, NOW), InvalidChange);
  const back = withChange(state, { from: NOW - HOUR, seed: 2, speed: 60 }, NOW);
  assert.deepEqual([back.feedTime, back.since, back.reachedAt], [NOW - HOUR, NOW - HOUR, NOW]);
});

for (
  const [change, message] of [
    [{ eventsPerSecond: 0 }, /Cannot set the rate to 0 events a second/],
    [{ speed: 1e6 }, /Cannot set the speed to 1000000/],
    [{ interval: { minMs: 1, maxMs: 2 } }, /Cannot wait 1..2 ms/],
    [{ faults: { nul_byte: 0.6, broken_quote: 0.6 } }, /Cannot plant faults in 1.2 of all/],
    [{ files: 2 }, /Cannot stop after file 2: file 4 has landed/],
    [{ from: NOW + 1 }, /Cannot begin at 2026-06-01T00:00:00.001Z/],
  ] as [GeneratorChange, RegExp][]
) {
  Deno.test(`withChange() refuses ${JSON.stringify(change)}`, () => {
    assert.throws(() => withChange({ ...started(), sequence: 5 }, change, NOW), message);
  });
}
