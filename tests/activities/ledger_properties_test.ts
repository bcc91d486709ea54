import assert from "node:assert/strict";
import fc from "fast-check";
import type { ActivityDeps } from "../../activities/create_activities.ts";
import { LoadAhead } from "../../activities/load_ahead.ts";
import {
  interleave,
  isReject,
  LedgerModel,
  lineOf,
  type ModelRecord,
  monthOf,
} from "./_ledger_model.ts";
import {
  cancel,
  copy,
  correct,
  crashFolder,
  fold,
  load,
  type Operation,
  replace,
  replay,
  retain,
  retry,
  revise,
  unloadOne,
  type World,
} from "./_ledger_operations.ts";
import { type Warehouse, warehouse } from "./_warehouse.ts";

/** Few events and prices, so that files share many and contradict each other. */
const record: fc.Arbitrary<ModelRecord> = fc.record({
  event: fc.nat(11),
  price: fc.constantFrom(1, 1, 2),
  broken: fc.constantFrom(false, false, false, false, false, true),
});
const records = fc.array(record, { minLength: 1, maxLength: 12 });
const which = fc.nat();

/** The month from which events are kept. */
const month = fc.constantFrom(1, 1, 1, 2);

const one = <Kind extends string, Model extends Record<string, fc.Arbitrary<unknown>>>(
  kind: Kind,
  model: Model,
) =>
  fc.record({ kind: fc.constant(kind), ...model }) as fc.Arbitrary<
    & { kind: Kind }
    & { [Key in keyof Model]: Model[Key] extends fc.Arbitrary<infer Value> ? Value : never }
  >;

/** Often the same file for both. */
const oneOfFew = fc.nat(3);

/** What may run beside another of these. */
const parallel = fc.oneof(
  { weight: 4, arbitrary: one("load", { records }) },
  { weight: 2, arbitrary: one("copy", { which: oneOfFew }) },
  { weight: 4, arbitrary: one("unload", { which: oneOfFew }) },
  { weight: 3, arbitrary: one("replay", { which: oneOfFew }) },
  { weight: 3, arbitrary: one("correct", { which: oneOfFew, correction: record }) },
  { weight: 1, arbitrary: one("retain", { month }) },
  { weight: 1, arbitrary: one("fold", {}) },
);

/** Before chunks, milliseconds: so that the other one gets between. */
const pauses = fc.array(fc.constantFrom(0, 0, 5, 25), { maxLength: 8, size: "max" });

const step = fc.oneof(
  { weight: 5, arbitrary: one("load", { records }) },
  { weight: 3, arbitrary: one("revise", { which, records }) },
  { weight: 2, arbitrary: one("replace", { which }) },
  { weight: 2, arbitrary: one("copy", { which }) },
  { weight: 3, arbitrary: one("unload", { which }) },
  { weight: 2, arbitrary: one("retry", { which }) },
  { weight: 2, arbitrary: one("replay", { which }) },
  { weight: 3, arbitrary: one("correct", { which, correction: record }) },
  { weight: 2, arbitrary: one("cancel", { records, chunks: fc.nat(3), copies: fc.nat(2) }) },
  { weight: 1, arbitrary: one("retain", { month }) },
  { weight: 1, arbitrary: one("fold", {}) },
  { weight: 1, arbitrary: one("crash of the folder", {}) },
  { weight: 14, arbitrary: one("both", { first: parallel, second: parallel, pauses }) },
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

/** Chunks of some two records: those are copied, the last of a file often is not. */
const COPYING = { chunkBytes: 500, leastRowsToCopy: 2 };
/** Files of one chunk, which is inserted, and begun before the workflow runs. */
const begunBefore = (): Partial<ActivityDeps> => ({
  chunkBytes: 5_000,
  loadAhead: new LoadAhead(),
});

Deno.test("the ledger equals its model after every step of any history", async () => {
  const history = fc.array(step, { minLength: 1, maxLength: 24, size: "max" });
  let copied = 0;
  await fc.assert(
    fc.asyncProperty(fc.boolean(), history, async (atOnce, steps) => {
      let pauses: number[] = [];
      const beforeChunkTransaction = async () => {
        await new Promise((resolve) => setTimeout(resolve, pauses.shift() ?? 0));
      };
      await using house = await warehouse({
        ...(atOnce ? begunBefore() : COPYING),
        hooks: { beforeChunkTransaction },
      });
      let model = new LedgerModel();
      for (const [index, step] of steps.entries()) {
        pauses = step.kind === "both" ? [...step.pauses] : [];
        const allowed = await take(step, { house, model, name: `${index}.csv` });
        model = await compare(house, allowed);
      }
      const [bulk] = await house.admin`select count(*)::int as rows from shop.minute_rollup_bulk`;
      copied += bulk!.rows;
    }),
    { numRuns: 60, seed: 20_260_105 },
  );
  assert.ok(copied > 0);
});

/** @returns what may have come of it */
async function take(step: Step, world: World): Promise<LedgerModel[]> {
  if (step.kind !== "both") {
    return interleave(world.model, await choose(step, world)?.() ?? []);
  }
  const { first } = step;
  let { second } = step;
  if (first.kind === "unload" && second.kind === "unload") {
    // Who unloads a file that is unloading already is refused.
    const loaded = world.model.files.filter(({ state }) => state === "loaded").length;
    second = loaded > 1 ? { ...second, which: first.which + 1 } : { kind: "fold" };
  }
  const operations = [
    choose(first, { ...world, name: `a${world.name}` }),
    choose(second, { ...world, name: `b${world.name}` }),
  ];
  const [one, other] = await Promise.all(operations.map((operation) => operation?.() ?? []));
  return interleave(world.model, one!, other!);
}

function choose(step: Exclude<Step, { kind: "both" }>, world: World): Operation | undefined {
  switch (step.kind) {
    case "load":
      return load(step.records, world);
    case "revise":
      return revise(step.which, step.records, world);
    case "replace":
      return replace(step.which, world);
    case "copy":
      return copy(step.which, world);
    case "unload":
      return unloadOne(step.which, world);
    case "replay":
      return replay(step.which, world);
    case "correct":
      return correct(step.which, step.correction, world);
    case "retry":
      return retry(step.which, world);
    case "cancel":
      return cancel(step, world);
    case "retain":
      return retain(step.month, world);
    case "fold":
      return fold(world);
    case "crash of the folder":
      return crashFolder(world);
  }
}

/** The proof is empty, and every row and count is what one of the models says; that one is returned. */
async function compare(house: Warehouse, allowed: readonly LedgerModel[]): Promise<LedgerModel> {
  assert.deepEqual(await house.violations(), []);
  const seen = await observe(house);
  const text = JSON.stringify(seen);
  const found = allowed.find((model) => JSON.stringify(expected(model)) === text);
  if (found !== undefined) return found;
  assert.ok(allowed[0], `no order of the transactions is possible; seen is ${text}`);
  assert.deepEqual(seen, expected(allowed[0]), `none of ${allowed.length} outcomes`);
  throw new Error("unreachable");
}

async function observe({ admin }: Warehouse) {
  const keys = await admin`
    select ('x' || right(event_id::text, 8))::bit(32)::int as event, file_id::int as "fileId",
           line_number as line
    from ingest.event_keys order by event_id`;
  const rows = await admin`
    select ('x' || right(event_id::text, 8))::bit(32)::int as event, price::int as price,
           file_id::int as "fileId", line_number as line
    from shop.events order by event_id`;
  const duplicates = await admin`
    select file_id::int as "fileId", line_number as line from ingest.duplicates order by 1, 2`;
  const rejects = await admin`
    select file_id::int as "fileId", line_number as line, faults -> 0 ->> 'code' as code
    from ingest.rejects where state = 'open' order by 1, 2`;
  const files = await admin`
    select file_id::int as "fileId", state, duplicate_of::int as "duplicateOf",
           supersedes::int as supersedes, replaced_by::int as "replacedBy", coalesce(loaded, 0)::int as loaded,
           coalesce(duplicates, 0)::int as duplicate, coalesce(rejected, 0)::int as rejected
    from ingest.files order by file_id`;
  const plain = (found: Iterable<object>) => Array.from(found, (row) => ({ ...row }));
  return {
    keys: plain(keys),
    rows: plain(rows),
    duplicates: plain(duplicates),
    rejects: plain(rejects),
    files: plain(files),
  };
}

/** The same of a model. */
function expected(model: LedgerModel): Awaited<ReturnType<typeof observe>> {
  const files = model.files.toSorted((a, b) => a.fileId - b.fileId);
  const records = files.flatMap(({ fileId, outcomes }) =>
    outcomes.map((outcome, index) => ({ fileId, line: lineOf(index), outcome }))
  );
  return {
    keys: model.keys().map(({ event, fileId, line }) => ({ event, fileId, line })),
    rows: model.keys().filter(({ event }) => monthOf(event) >= model.horizon)
      .map(({ event, price, fileId, line }) => ({ event, price, fileId, line })),
    duplicates: records.filter(({ outcome }) => outcome === "duplicate")
      .map(({ fileId, line }) => ({ fileId, line })),
    rejects: records.filter(({ outcome }) => isReject(outcome))
      .map(({ fileId, line, outcome }) => ({ fileId, line, code: outcome })),
    files: files.map(({ fileId, state, duplicateOf, supersedes, replacedBy, outcomes }) => ({
      fileId,
      state,
      duplicateOf,
      supersedes,
      replacedBy,
      loaded: outcomes.filter((outcome) => outcome === "loaded").length,
      duplicate: outcomes.filter((outcome) => outcome === "duplicate").length,
      rejected: outcomes.filter(isReject).length,
    })),
  };
}
