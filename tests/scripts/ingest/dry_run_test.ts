import assert from "node:assert/strict";
import { openDatabase } from "../../../activities/database.ts";
import { EVENT_HEADER, writeEvents } from "../../../domain/generator/write_events.ts";
import { SHOP_EVENTS } from "../../../domain/shop_events.ts";
import { DryLoad, type DryRun } from "../../../scripts/ingest/dry_run.ts";
import { ingest, unload } from "../../activities/_ingest.ts";
import { type Warehouse, warehouse } from "../../activities/_warehouse.ts";
import { eventRows } from "../../event_lines.ts";

const EVENTS = eventRows({ seed: 91, rows: 100 });
const PRICE = SHOP_EVENTS.columns.findIndex(({ name }) => name === "price");
const BUDGET = { maxRejects: 2 };

const csv = (rows: string[][]) => EVENT_HEADER + writeEvents(rows);
const priced = (rows: string[][], price: string) => rows.map((row) => row.with(PRICE, price));

/** Loaded in this order. */
const FILES: Record<string, string> = {
  "first.csv": csv(EVENTS.slice(0, 20)),
  "first again.csv": csv(EVENTS.slice(0, 20)),
  "no header.csv": writeEvents(EVENTS.slice(20, 30)),
  "no header again.csv": writeEvents(EVENTS.slice(20, 30)),
  "overlapping.csv": csv(EVENTS.slice(15, 40)),
  "conflicting.csv": csv([...EVENTS.slice(38, 42), ...priced(EVENTS.slice(10, 12), "0.01")]),
  "beyond the budget.csv": csv([...EVENTS.slice(50, 60), ...priced(EVENTS.slice(60, 63), "free")]),
  "what that had.csv": csv(EVENTS.slice(50, 64)),
};

Deno.test("DryLoad says of several files what loading them one after the other does", async () => {
  await using house = await warehouse({ errorBudget: BUDGET });
  await using dry = dryLoad(house);
  const said: Record<string, DryRun> = {};
  for (const [name, text] of Object.entries(FILES)) {
    said[name] = await dry.load.read(await sourceOf(house, name, text));
  }
  for (const name of Object.keys(FILES)) {
    const { state, errorCode, records, loaded, duplicates, rejected } = await ingest(
      house,
      `${house.inbox}/${name}`,
    );
    assert.deepEqual(outcomeOf(said[name]!), {
      state,
      errorCode,
      ...(state === "failed" ? NOTHING : { records, loaded, duplicates, rejected }),
    }, name);
  }
  assert.deepEqual(said["first again.csv"]?.duplicateOf, { name: "first.csv" });
  assert.deepEqual(said["conflicting.csv"]?.conflicts, [
    { line: 6, other: { name: "first.csv", line: 12 } },
    { line: 7, other: { name: "first.csv", line: 13 } },
  ]);
  assert.match(
    said["beyond the budget.csv"]?.failure ?? "",
    /beyond the budget\.csv: too many of its records were rejected \(3 of 13, and at most 2 are allowed\)/,
  );
  assert.deepEqual(await house.violations(), []);
});

Deno.test("DryLoad names files of the ledger: the same bytes, the older version, the other line", async () => {
  await using house = await warehouse();
  const { fileId } = await ingest(house, await house.land("a.csv", csv(EVENTS.slice(0, 10))));
  const name = "a.csv";
  const older = { fileId, name };
  const same = await readAlone(house, name, csv(EVENTS.slice(0, 10)));
  assert.deepEqual([same.state, same.duplicateOf], ["duplicate", older]);
  const newer = await readAlone(house, name, csv(priced(EVENTS.slice(0, 1), "0.01")));
  assert.deepEqual(newer.supersedes, older);
  assert.deepEqual(newer.conflicts, [{ line: 2, other: { ...older, line: 2 } }]);
});

Deno.test("DryLoad takes what is unloaded, or being unloaded, for gone", async () => {
  await using house = await warehouse();
  const text = csv(EVENTS.slice(0, 10));
  const { fileId } = await ingest(house, await house.land("a.csv", text));
  await house.admin`update ingest.files set state = 'unloading', unload_to = 'unloaded',
    epoch = epoch + 1, settled_at = null where file_id = ${fileId}`;
  const expected = { ...NOTHING, state: "loaded", errorCode: undefined, records: 10, loaded: 10 };
  assert.deepEqual(outcomeOf(await readAlone(house, "b.csv", text)), expected);
  await house.admin`update ingest.files set state = 'loaded', unload_to = null`;
  await unload(house, fileId);
  assert.deepEqual(outcomeOf(await readAlone(house, "b.csv", text)), expected);
});

const NOTHING = { records: 0, loaded: 0, duplicates: 0, rejected: 0 };

function outcomeOf({ state, errorCode, records, loaded, duplicates, rejected }: DryRun) {
  return { state, errorCode, records, loaded, duplicates, rejected };
}

function dryLoad({ url, inboxId, deps }: Warehouse): AsyncDisposable & { load: DryLoad } {
  const sql = openDatabase(url, "reader");
  const load = new DryLoad({
    contract: SHOP_EVENTS,
    errorBudget: deps.errorBudget,
    chunkBytes: deps.chunkBytes,
    maxExpandedBytes: deps.expansion.maxBytes,
    sql,
    inboxId,
  });
  return { load, [Symbol.asyncDispose]: () => sql.end({ timeout: 1 }) };
}

async function readAlone(house: Warehouse, name: string, text: string): Promise<DryRun> {
  await using dry = dryLoad(house);
  return await dry.load.read(await sourceOf(house, name, text));
}

async function sourceOf(house: Warehouse, name: string, text: string) {
  const path = await house.land(name, text);
  return { path, name, sizeBytes: (await Deno.stat(path)).size };
}

Deno.test("DryLoad knows that a cut last record gives way to the version that grew from it", async () => {
  await using house = await warehouse();
  // A column that the contract does not know stands last: cut there, the record is an event as it stands.
  const whole = csv(EVENTS.slice(0, 6)).trimEnd().split("\n")
    .map((line, n) => `${line},${n === 0 ? "note" : "ascertained"}\n`).join("");
  const cut = whole.slice(0, whole.indexOf("\n", whole.length / 2) - 4);
  const country = /(\w\w)(,\w+)$/;
  const other = country.exec(cut)?.[1] === "DE" ? "FR" : "DE";
  const changed = whole.replace(cut, cut.replace(country, `${other}$2`));
  await ingest(house, await house.land("grown.csv", cut));
  for (
    const [name, text] of [["grown.csv", whole], ["other.csv", whole], [
      "grown.csv",
      changed,
    ]] as const
  ) {
    await using dry = dryLoad(house);
    const said = await dry.load.read(await sourceOf(house, name, text));
    const { state, errorCode, records, loaded, duplicates, rejected } = await ingest(
      house,
      await house.land(name, text),
    );
    assert.deepEqual(outcomeOf(said), {
      state,
      errorCode,
      ...(state === "failed" || state === "duplicate"
        ? { ...NOTHING, records, loaded, duplicates, rejected }
        : { records, loaded, duplicates, rejected }),
    }, name);
  }
  assert.deepEqual(await house.violations(), []);
});

Deno.test("DryLoad knows that the pieces of a record cut within quotes give way to it", async () => {
  await using house = await warehouse();
  const name = SHOP_EVENTS.columns.findIndex(({ name }) => name === "product_name");
  const quoted = EVENTS[9]!.with(name, "Chair");
  const quoting = EVENTS[5]!.with(name, `As in\n${writeEvents([quoted])}above`);
  const whole = csv([...EVENTS.slice(0, 5), quoting, quoted, EVENTS[10]!]);
  const cut = whole.slice(0, whole.indexOf("above") + 2);
  const older = await ingest(house, await house.land("grown.csv", cut));
  assert.equal(older.loaded, 6, "the quoted one as well");
  await using dry = dryLoad(house);
  const said = outcomeOf(await dry.load.read(await sourceOf(house, "grown.csv", whole)));
  const { state, records, loaded, duplicates, rejected } = await ingest(
    house,
    `${house.inbox}/grown.csv`,
  );
  assert.deepEqual({ state, records, loaded, duplicates, rejected }, {
    ...{ state: "loaded", records: 8, loaded: 3, duplicates: 5, rejected: 0 },
  });
  assert.deepEqual({ ...said, errorCode: undefined }, {
    ...{ state, records, loaded, duplicates, rejected, errorCode: undefined },
  });
});
