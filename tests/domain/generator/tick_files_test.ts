import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFaultShares } from "../../../domain/generator/fault_shares.ts";
import { type TickFile, TickFiles } from "../../../domain/generator/tick_files.ts";
import {
  type GeneratorChange,
  startGenerator,
  withChange,
  withCommand,
} from "../../../domain/generator_change.ts";
import {
  afterTick,
  type GeneratorState,
  nextTick,
  type Tick,
} from "../../../domain/generator_state.ts";

const FROM = Date.UTC(2026, 0, 5, 12);
const HOUR = 3_600_000;

function started(): GeneratorState {
  return {
    ...startGenerator({
      ...{ directory: "/inbox", truthDirectory: "/truth", seed: 5, eventsPerSecond: 8 },
      ...{ from: FROM, faults: readFaultShares("0.2") },
    }),
    reachedAt: FROM,
  };
}

/** Twelve ticks of uneven length, with a change after some of them. */
function ticks(changes: Record<number, GeneratorChange | "pause">): Tick[] {
  let state = started();
  const all: Tick[] = [];
  let now = FROM;
  for (let index = 0; index < 12; index++) {
    now += 1_000 + 7_777 * (index % 3);
    const tick = nextTick(state, now);
    all.push(tick);
    state = afterTick(state, tick, { fileName: "", events: 0, bytes: 0, faults: 0 });
    const change = changes[index];
    if (change === "pause") {
      now += HOUR;
      state = withCommand(withCommand(state, "pause", now), "resume", now);
    } else if (change !== undefined) state = withChange(state, change, now);
  }
  return all;
}

function fingerprint({ name, bytes, truth }: TickFile): string {
  const hash = createHash("sha256").update(bytes).digest("hex");
  return `${name} ${hash} ${JSON.stringify(truth)}`;
}

for (
  const [what, changes] of Object.entries({
    "nothing changes": {},
    "rate, faults and seed change": {
      2: { eventsPerSecond: 30 },
      4: { faults: readFaultShares("duplicate=0.3,late=0.2") },
      6: { eventsPerSecond: 3 },
      8: { seed: 6 },
    },
    "it is paused": { 5: "pause" },
  } as Record<string, Record<number, GeneratorChange | "pause">>)
) {
  Deno.test(`TickFiles.make() gives the same bytes and truth with nothing kept, when ${what}`, () => {
    const keeping = new TickFiles();
    const kept = ticks(changes).map((tick) => ({ tick, made: fingerprint(keeping.make(tick)) }));
    // From the last to the first: what a tick leaves behind does not fit the one before it.
    const fresh = new TickFiles();
    for (const { tick, made } of kept.toReversed()) {
      assert.equal(fingerprint(fresh.make(tick)), made);
    }
  });
}

Deno.test("TickFiles.make() writes copies of events of earlier files", () => {
  const files = new TickFiles();
  const seen = new Set<string>();
  let fromEarlier = 0;
  for (const tick of ticks({})) {
    const { bytes, truth } = files.make(tick);
    for (const { kind, eventId } of truth) {
      if (kind === "duplicate_event" && seen.has(eventId!)) fromEarlier++;
    }
    for (const line of new TextDecoder().decode(bytes).split("\n")) seen.add(line.slice(0, 36));
  }
  assert.ok(fromEarlier > 3, `${fromEarlier}`);
});
