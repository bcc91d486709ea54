import assert from "node:assert/strict";
import { planBytes } from "../../../domain/plan_chunks.ts";
import { createCatalog } from "../../../domain/generator/create_catalog.ts";
import { badValues } from "../../../domain/generator/bad_values.ts";
import { generateWindow } from "../../../domain/generator/generate_window.ts";
import { RECORD_FAULT_KINDS, type RecordFaultKind } from "../../../domain/generator/fault_kinds.ts";
import { plantFaults } from "../../../domain/generator/plant_faults.ts";
import { REES46 } from "../../../domain/generator/rees46.ts";
import { EVENT_HEADER, writeEvents } from "../../../domain/generator/write_events.ts";
import { mapHeader } from "../../../domain/map_header.ts";
import { readChunk } from "../../../domain/read_chunk.ts";
import { SHOP_EVENTS } from "../../../domain/shop_events.ts";

const SEED = 5;
const NOON = Date.UTC(2026, 0, 5, 12);
const NOW = NOON + 86_400_000;
const rows = generateWindow({
  ...{ seed: SEED, profile: REES46, catalog: createCatalog(SEED, REES46) },
  ...{ rates: [{ from: NOON, eventsPerSecond: 20 }], from: NOON, to: NOON + 180_000 },
});

/** What the pipeline says of each record, before the database: accepted ids, or the fault's code. */
async function read(
  bytes: Uint8Array,
): Promise<{ accepted: Map<number, string>; rejected: Map<number, string> }> {
  const plan = await planBytes(bytes, { chunkBytes: 64 * 1024 });
  const header = mapHeader(SHOP_EVENTS, plan.header!.fields);
  assert.ok(header.ok);
  const accepted = new Map<number, string>();
  const rejected = new Map<number, string>();
  for (const { byteStart, byteEnd, firstLine } of plan.chunks) {
    const batch = readChunk(bytes.subarray(byteStart, byteEnd), {
      ...{ contract: SHOP_EVENTS, dialect: plan.dialect, mapping: header.mapping },
      ...{ discoveredAt: NOW, firstLine, byteStart },
    });
    batch.accepted.lines.items().forEach((line, index) =>
      accepted.set(line, batch.accepted.columns[0]!.at(index)!)
    );
    for (const { line, faults } of batch.rejects) rejected.set(line, faults[0]!.code);
  }
  return { accepted, rejected };
}

async function assertTruth(
  options: { share: number; kinds?: readonly RecordFaultKind[]; seed?: number },
): Promise<void> {
  const { bytes, truth, expected } = plantFaults({ rows, seed: SEED, ...options });
  const { accepted, rejected } = await read(bytes);
  const planted = new Map(truth.map((fault) => [fault.line, fault]));
  assert.equal(planted.size, truth.length);
  assert.equal(accepted.size + rejected.size, expected.records);
  assert.equal(expected.loaded + expected.duplicates + expected.rejected, expected.records);
  // The database finds these two.
  const conflicts = truth.filter(({ kind }) => kind === "conflicting_event").length;
  assert.equal(new Set(accepted.values()).size, expected.loaded);
  assert.equal(accepted.size, expected.loaded + expected.duplicates + conflicts);
  assert.equal(rejected.size, expected.rejected - conflicts);
  for (const [line, code] of rejected) assert.equal(planted.get(line)?.verdict, `rejected:${code}`);
  for (const [line, eventId] of accepted) {
    const fault = planted.get(line);
    if (fault === undefined) continue;
    assert.equal(fault.eventId, eventId);
    assert.match(fault.verdict, /^(loaded|duplicate|rejected:conflicting_event)$/);
  }
}

for (const kind of RECORD_FAULT_KINDS) {
  Deno.test(`plantFaults() tells the truth about ${kind}`, async () => {
    await assertTruth({ share: 0.03, kinds: [kind] });
    await assertTruth({ share: 1, kinds: [kind] });
  });
}

Deno.test("plantFaults() tells the truth about all kinds together", async () => {
  for (let seed = 0; seed < 20; seed++) {
    await assertTruth({ share: [0.01, 0.3, 1][seed % 3]!, seed });
  }
});

Deno.test("plantFaults() plants nothing at a share of 0", () => {
  const { bytes, truth } = plantFaults({ rows, seed: SEED, share: 0 });
  assert.deepEqual(truth, []);
  assert.equal(new TextDecoder().decode(bytes), EVENT_HEADER + writeEvents(rows));
});

Deno.test("plantFaults() gives the same file for the same seed, another for another", () => {
  const first = plantFaults({ rows, seed: 1, share: 0.1 });
  assert.deepEqual(plantFaults({ rows, seed: 1, share: 0.1 }), first);
  assert.notDeepEqual(plantFaults({ rows, seed: 2, share: 0.1 }).bytes, first.bytes);
});

Deno.test("plantFaults() puts a late event behind younger ones", () => {
  const { bytes, truth } = plantFaults({ rows, seed: SEED, share: 0.01, kinds: ["late_event"] });
  const times = new TextDecoder().decode(bytes).split("\n").map((line) => line.split(",")[1]!);
  const late = truth.filter(({ line }) => times[line - 1]! < times[line - 2]!);
  assert.ok(late.length > truth.length / 2);
});

Deno.test("badValues() has one for each column, each with its code", async () => {
  for (const type of ["purchase", "product_view"]) {
    const columns = new Set(badValues(type).map(({ column }) => column));
    assert.deepEqual(
      [...columns].toSorted(),
      SHOP_EVENTS.columns.map(({ name }) => name).toSorted(),
    );
  }
  // Events of each type, enough for each bad value to be drawn.
  for (const type of ["purchase", "product_view", "add_to_cart"]) {
    const some = rows.find((row) => row[2] === type)!;
    const many = Array.from(
      { length: 400 },
      (_, index) => some.with(0, `${some[0]!.slice(0, -4)}${String(index).padStart(4, "0")}`),
    );
    const { bytes, truth } = plantFaults({ rows: many, seed: 1, share: 1, kinds: ["bad_value"] });
    const { rejected } = await read(bytes);
    assert.equal(truth.length, many.length);
    const planted = new Set(truth.map(({ column, verdict }) => `${column} ${verdict}`));
    assert.deepEqual(
      [...planted].toSorted(),
      [...new Set(badValues(type).map(({ column, code }) => `${column} rejected:${code}`))]
        .toSorted(),
    );
    for (const { line, verdict } of truth) assert.equal(`rejected:${rejected.get(line)}`, verdict);
  }
});
