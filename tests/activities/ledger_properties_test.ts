import assert from "node:assert/strict";
import fc from "fast-check";
import type { IngestFileResult } from "../../domain/ingest_api.ts";
import { findFile } from "../../scripts/statements/find_file.ts";
import { insertRetry } from "../../scripts/statements/retry_file.ts";
import { readIdentity } from "../../activities/file_identity.ts";
import { operationWorkflowId } from "../../domain/workflow_ids.ts";
import { csv, event } from "./_events.ts";
import { claim, finish, ingest, ingestUnfinished, unload } from "./_ingest.ts";
import { LedgerModel, type ModelRecord } from "./_ledger_model.ts";
import { jobOf, type Warehouse, warehouse } from "./_warehouse.ts";

/** Few events and prices, so that files share many and contradict each other. */
const record: fc.Arbitrary<ModelRecord> = fc.record({
  event: fc.nat(11),
  price: fc.constantFrom(1, 1, 1, 2),
  broken: fc.constantFrom(false, false, false, false, false, true),
});
const records = fc.array(record, { minLength: 1, maxLength: 12 });
const which = fc.nat();

const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("load" as const), records }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("copy" as const), which }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("unload" as const), which }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("retry" as const), which }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("replay" as const), which }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("cancel" as const),
      records,
      chunks: fc.nat(3),
      copies: fc.nat(2),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("fold" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("crash of the folder" as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

Deno.test("the ledger equals its model after every step of any history", async () => {
  const history = fc.array(step, { minLength: 1, maxLength: 24, size: "max" });
  await fc.assert(
    fc.asyncProperty(history, async (steps) => {
      await using house = await warehouse({ chunkBytes: 500 });
      const model = new LedgerModel();
      for (const [index, step] of steps.entries()) {
        await take(step, { house, model, name: `${index}.csv` });
        await compare(house, model);
      }
    }),
    { numRuns: 15, seed: 20_260_105 },
  );
});

interface World {
  house: Warehouse;
  model: LedgerModel;
  /** For a file that the step lands. */
  name: string;
}

async function take(step: Step, { house, model, name }: World): Promise<void> {
  switch (step.kind) {
    case "load":
      return await land(step.records, { house, model, name });
    case "copy": {
      const file = pick(model.files, step.which);
      if (file) await land(file.records, { house, model, name });
      return;
    }
    case "unload": {
      const file = pick(model.files.filter(({ state }) => state === "loaded"), step.which);
      if (file === undefined) return;
      await unload(house, file.fileId);
      return model.unload(file.fileId);
    }
    case "replay": {
      const file = pick(model.files.filter(({ state }) => state === "loaded"), step.which);
      if (file === undefined) return;
      const { fileId } = file;
      const workflowId = operationWorkflowId("replay", house.inboxId, fileId);
      await house.run("replayRejects", { workflowId }, { fileId });
      return model.replay(fileId);
    }
    case "retry":
      return await retry(step.which, { house, model });
    case "cancel":
      return await cancel(step, { house, model, name });
    case "fold":
      return void await house.deps.sql`select shop.fold_rollups()`;
    case "crash of the folder":
      return await crashFolder(house);
  }
}

/** It has moved everything, and dies before it commits. */
async function crashFolder({ deps: { sql } }: Warehouse): Promise<void> {
  const folding = sql.begin(async (tx) => {
    await tx`select shop.fold_rollups()`;
    await tx`select pg_terminate_backend(pg_backend_pid())`;
  });
  await assert.rejects(folding);
}

async function land(records: readonly ModelRecord[], { house, model, name }: World): Promise<void> {
  const result = await ingest(house, await house.land(name, textOf(records)));
  model.land(result.fileId, records);
}

async function retry(which: number, { house, model }: Omit<World, "name">): Promise<void> {
  const ended = model.files.filter(({ state }) => state === "cancelled" || state === "unloaded");
  const file = pick(ended, which);
  if (file === undefined) return;
  const found = await findFile(house.deps.sql, String(file.fileId));
  // A retry before this one has taken the bytes.
  if (found.archivePath === null) return;
  const seen = await readIdentity(found.archivePath);
  assert.ok(seen, found.archivePath);
  const row = await insertRetry(house.deps.sql, found, seen.identity);
  assert.ok(row);
  const job = jobOf(house.inboxId, seen.identity, row.workflowId);
  const result = await ingest(house, { ...job, input: { ...job.input, fileId: row.fileId } });
  model.land(result.fileId, file.records);
}

async function cancel(
  { records, chunks, copies }: Extract<Step, { kind: "cancel" }>,
  { house, model, name }: World,
): Promise<void> {
  const job = await house.job(await house.land(name, textOf(records)));
  const inspection = await house.run("inspectFile", job, job.input);
  // The same bytes are loaded already.
  if (inspection.next !== "load") {
    const { fileId } = await ingest(house, job);
    return model.land(fileId, records);
  }
  const claimed = await claim(house, job);
  const endChunk = Math.min(chunks, claimed.chunks);
  await house.run("loadSpan", job, { claim: claimed, firstChunk: 0, endChunk });
  const duplicates: IngestFileResult[] = [];
  for (let copy = 0; copy < copies; copy++) {
    duplicates.push(await ingest(house, await house.land(`${copy}-${name}`, textOf(records))));
  }
  const remainder = await house.run("abandonFile", job, job.input, {
    unloadTo: "cancelled",
    errorCode: "cancelled",
  });
  await finish(house, job, remainder as Exclude<typeof remainder, { next: "load" }>);
  await ingestUnfinished(house);
  model.cancel(claimed.fileId, records, duplicates.map(({ fileId }) => fileId));
}

/** The proof is empty, and every row and count is what the model says. */
async function compare(house: Warehouse, model: LedgerModel): Promise<void> {
  assert.deepEqual(await house.violations(), []);
  const rows = await house.admin`
    select ('x' || right(event_id::text, 8))::bit(32)::int as event, price::int as price,
           file_id::int as "fileId", line_number as line
    from shop.events order by event_id`;
  assert.deepEqual(rows.map((row) => ({ ...row })), model.rows());
  const files = await house.admin`
    select file_id::int as "fileId", state, duplicate_of::int as "duplicateOf",
           coalesce(loaded, 0)::int as loaded, coalesce(duplicates, 0)::int as duplicate,
           coalesce(rejected, 0)::int as rejected
    from ingest.files order by file_id`;
  assert.deepEqual(
    files.map((row) => ({ ...row })),
    model.files.toSorted((a, b) => a.fileId - b.fileId).map((file) => ({
      fileId: file.fileId,
      state: file.state,
      duplicateOf: file.duplicateOf,
      ...countOutcomes(file.outcomes),
    })),
  );
}

function countOutcomes(outcomes: readonly string[]) {
  const counts = { loaded: 0, duplicate: 0, rejected: 0 };
  for (const outcome of outcomes) counts[outcome as keyof typeof counts]++;
  return counts;
}

function textOf(records: readonly ModelRecord[]): string {
  return csv(
    records.map(({ event: n, price, broken }) =>
      event(n, { price: broken ? "broken" : `${price}.00` })
    ),
  );
}

function pick<Value>(values: readonly Value[], which: number): Value | undefined {
  return values[which % Math.max(values.length, 1)];
}
