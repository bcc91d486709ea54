import assert from "node:assert/strict";
import { ApplicationFailure } from "@temporalio/common";
import { sqlstateOf } from "../../activities/database.ts";
import { readIdentity } from "../../activities/file_identity.ts";
import { beginAtOnce } from "../../activities/load_at_once.ts";
import { operationWorkflowId } from "../../domain/workflow_ids.ts";
import type { Running } from "../../scripts/cli/with_running.ts";
import { readConfig } from "../../scripts/config.ts";
import { replaceFile } from "../../scripts/files/replace_file.ts";
import { findFile } from "../../scripts/statements/find_file.ts";
import { insertRetry } from "../../scripts/statements/retry_file.ts";
import { csv, event, type TestEvent } from "./_events.ts";
import { claim, finish, ingest, ingestUnfinished, unload } from "./_ingest.ts";
import {
  isReject,
  LedgerModel,
  lineOf,
  type ModelFile,
  type ModelRecord,
  type ModelStep,
  monthOf,
} from "./_ledger_model.ts";
import { jobOf, type Warehouse } from "./_warehouse.ts";

/** What an operation works on. */
export interface World {
  house: Warehouse;
  /** As it was before. */
  model: LedgerModel;
  /** For a file that the operation lands. */
  name: string;
}

/** Something done to the warehouse, chosen by what the model holds; what it did, as transactions of the model. */
export type Operation = () => Promise<ModelStep[]>;

const MONTHS = ["2025-11", "2025-12", "2026-01"];

/** A file lands and is ingested. */
export function load(records: readonly ModelRecord[], { house, name }: World): Operation {
  return async () => {
    const job = await house.job(await house.land(name, textOf(records)));
    beginAtOnce(house.deps, job.input);
    // Some workflows run when what was begun has come as far as it may.
    if (records.length % 2 === 0) await new Promise((resolve) => setTimeout(resolve, 15));
    const { fileId } = await ingest(house, job);
    return await stepsOfLoad(house, { fileId, name, records });
  };
}

/** A corrected file, or another one, lands under the name of one before it. */
export function revise(
  which: number,
  records: readonly ModelRecord[],
  world: World,
): Operation | undefined {
  const older = pick(world.model.files, which);
  return older && load(records, { ...world, name: older.name });
}

/** The bytes of a file land under another name. */
export function copy(which: number, world: World): Operation | undefined {
  const file = pick(world.model.files, which);
  return file && load(file.records, world);
}

/** A loaded file is taken out. */
export function unloadOne(which: number, { house, model }: World): Operation | undefined {
  const file = pick(loadedFiles(model), which);
  return file && (async () => {
    await unload(house, file.fileId);
    return stepsOfUnload(file, model);
  });
}

/** What contradicted an event, or was corrected, is validated again. */
export function replay(which: number, { house, model }: World): Operation | undefined {
  const file = pick(loadedFiles(model), which);
  return file && (async () => {
    const wasRefused = await replayed(house, file.fileId) === "refused";
    return [(model) => model.replay(file.fileId, { wasRefused })];
  });
}

/** A person stores what an open reject should have been, and replays its file. */
export function correct(
  which: number,
  correction: ModelRecord,
  { house, model }: World,
): Operation | undefined {
  const open = loadedFiles(model).flatMap(({ fileId, outcomes }) =>
    outcomes.flatMap((outcome, index) => isReject(outcome) ? [{ fileId, index }] : [])
  );
  const reject = pick(open, which);
  return reject && (async () => {
    const { fileId, index } = reject;
    const bytes = new TextEncoder().encode(csv([eventOf(correction)]).trimEnd().split("\n")[1]!);
    const [stored] = await house.admin`
      select ingest.correct_reject(reject_id, ${bytes}) as done from ingest.rejects
      where file_id = ${fileId} and line_number = ${lineOf(index)} and state = 'open'`;
    const wasStored = stored?.done ?? false;
    const wasRefused = await replayed(house, fileId) === "refused";
    return [
      (model) => model.correct({ fileId, index, correction }, { wasStored }),
      (model) => model.replay(fileId, { wasRefused }),
    ];
  });
}

/** A newer version of a file wins over those before it, by the command. */
export function replace(which: number, { house, model }: World): Operation | undefined {
  const loaded = loadedFiles(model);
  const newer = loaded.filter((file) =>
    loaded.some((older) => older.name === file.name && older.fileId < file.fileId)
  );
  const file = pick(newer, which);
  return file && (async () => {
    await replaceFile(commandOn(house), String(file.fileId), readConfig({}));
    return [(model) => model.replace(file.fileId)];
  });
}

/** What a command works with: the workflow of an unload is its activities, one after the other. */
function commandOn(house: Warehouse): Running {
  const start = async (_: string, { workflowId, args: [{ fileId }] }: StartOptions) => {
    await finish(house, { workflowId }, { next: "unload", fileId });
    return { eagerlyStarted: false };
  };
  const connection = { withDeadline: <T>(_: number, work: () => Promise<T>) => work() };
  const client = { connection, workflow: { start } } as unknown as Running["client"];
  return { client, sql: house.deps.sql, inbox: house.inbox, inboxId: house.inboxId };
}

interface StartOptions {
  workflowId: string;
  args: [{ fileId: number }];
}

/** Retention drops old months, unless a file that is not settled has events in them. */
export function retain(month: number, { house }: World): Operation {
  return async () => {
    let wasRefused = false;
    try {
      await house.admin`call shop.drop_events_before(${`${MONTHS[month]}-01`})`;
    } catch (error) {
      if (sqlstateOf(error) !== "55000") throw error;
      wasRefused = true;
    }
    return [(model) => model.retain(month, { wasRefused })];
  };
}

/** The deltas are folded into the rollups. */
export function fold({ house }: World): Operation {
  return async () => {
    await house.deps.sql`select shop.fold_rollups()`;
    return [];
  };
}

/** The folder has moved everything, and dies before it commits. */
export function crashFolder({ house: { deps: { sql } } }: World): Operation {
  return async () => {
    const folding = sql.begin(async (tx) => {
      await tx`select shop.fold_rollups()`;
      await tx`select pg_terminate_backend(pg_backend_pid())`;
    });
    await assert.rejects(folding);
    return [];
  };
}

/** A file that was taken out, or cancelled, is loaded once more. */
export function retry(which: number, { house, model }: World): Operation | undefined {
  const ended = model.files.filter(({ state }) => state === "cancelled" || state === "unloaded");
  const file = pick(ended, which);
  return file && (async () => {
    const found = await findFile(house.deps.sql, String(file.fileId));
    // A retry before this one has taken the bytes.
    if (found.archivePath === null) return [];
    const seen = await readIdentity(found.archivePath);
    assert.ok(seen, found.archivePath);
    const row = await insertRetry(house.deps.sql, found, seen.identity);
    assert.ok(row);
    const job = jobOf(house.inboxId, seen.identity, row.workflowId);
    const { fileId } = await ingest(house, { ...job, input: { ...job.input, fileId: row.fileId } });
    return await stepsOfLoad(house, { ...file, fileId }, file.fileId);
  });
}

/** A file is cancelled after some of its chunks, when copies of it have landed. */
export function cancel(
  { records, chunks, copies }: {
    records: readonly ModelRecord[];
    chunks: number;
    copies: number;
  },
  { house, model, name }: World,
): Operation {
  return async () => {
    const job = await house.job(await house.land(name, textOf(records)));
    const inspection = await house.run("inspectFile", job, job.input);
    // The same bytes are loaded already.
    if (inspection.next !== "load") {
      const { fileId } = await ingest(house, job);
      return await stepsOfLoad(house, { fileId, name, records });
    }
    const claimed = await claim(house, job);
    const endChunk = Math.min(chunks, claimed.chunks);
    await house.run("loadSpan", job, { claim: claimed, firstChunk: 0, endChunk });
    const landed: { fileId: number; name: string; records: readonly ModelRecord[] }[] = [];
    for (let copy = 0; copy < copies; copy++) {
      const copyName = `${copy}-${name}`;
      const { fileId } = await ingest(house, await house.land(copyName, textOf(records)));
      landed.push({ fileId, name: copyName, records });
    }
    const remainder = await house.run("abandonFile", job, job.input, {
      unloadTo: "cancelled",
      errorCode: "cancelled",
    });
    await finish(house, job, remainder as Exclude<typeof remainder, { next: "load" }>);
    await ingestUnfinished(house);

    const { fileId } = claimed;
    const planned = await withChunks(house, { fileId, name, records });
    const committed = planned.chunks.slice(0, endChunk).map((_, chunk) => chunk);
    const [heir] = landed;
    return [
      (model) => model.plan(planned),
      ...committed.map((chunk): ModelStep => (model) => model.loadChunk(fileId, chunk)),
      ...landed.flatMap((copy): ModelStep[] => [
        (model) => model.plan({ ...copy, chunks: [] }),
        (model) => model.settle(copy.fileId),
      ]),
      (model) => model.startUnload(fileId),
      ...committed.map((chunk): ModelStep => (model) => model.unloadChunk(fileId, chunk)),
      ...stepsOfReplays(fileId, model),
      (model) => model.endUnload(fileId, "cancelled"),
      (model) => model.settle(fileId),
      ...(heir === undefined ? [] : await stepsOfLoad(house, heir)),
    ];
  };
}

async function replayed(house: Warehouse, fileId: number): Promise<"done" | "refused"> {
  const workflowId = operationWorkflowId("replay", house.inboxId, fileId);
  try {
    await house.run("replayRejects", { workflowId }, { fileId });
    return "done";
  } catch (error) {
    if (error instanceof ApplicationFailure && error.type === "NotLoaded") return "refused";
    throw error;
  }
}

type Landed = Pick<ModelFile, "fileId" | "name" | "records">;

async function stepsOfLoad(
  house: Warehouse,
  landed: Landed,
  retryOf?: number,
): Promise<ModelStep[]> {
  const planned = await withChunks(house, landed);
  const { fileId, chunks } = planned;
  const settle: ModelStep = (model) => model.settle(fileId);
  const plan: ModelStep = (model) =>
    model.plan(planned, retryOf) &&
    // Which of the two it was is known.
    (model.file(fileId).state === "duplicate") === (chunks.length === 0);
  if (chunks.length === 0) return [plan, settle];
  return [
    plan,
    ...chunks.map((_, chunk): ModelStep => (model) => model.loadChunk(fileId, chunk)),
    (model) => model.complete(fileId),
    // What its records met may have been taken out while it was loading.
    (model) => model.readDue(`load/${fileId}`, fileId),
    (model) => model.replayDue(`load/${fileId}`),
    (model) => model.endReplay(`load/${fileId}`),
    settle,
  ];
}

function stepsOfUnload({ fileId, chunks }: ModelFile, before: LedgerModel): ModelStep[] {
  return [
    (model) => model.startUnload(fileId),
    ...chunks.map((_, chunk): ModelStep => (model) => model.unloadChunk(fileId, chunk)),
    ...stepsOfReplays(fileId, before),
    (model) => model.endUnload(fileId, "unloaded"),
    (model) => model.settle(fileId),
  ];
}

/** Room for each file that may have records in conflict, and for one that lands meanwhile. */
function stepsOfReplays(fileId: number, before: LedgerModel): ModelStep[] {
  const owner = `unload/${fileId}`;
  const inConflict = before.files.filter(({ outcomes }) => outcomes.includes("conflicting_event"));
  return [
    (model) => model.listUncontradicted(owner),
    ...[...inConflict, "landing"].flatMap((): ModelStep[] => [
      (model) => model.readDue(owner),
      (model) => model.replayDue(owner),
    ]),
    (model) => model.endReplay(owner),
  ];
}

/** Where the plan has cut the file; nowhere when it is a duplicate. */
async function withChunks({ admin }: Warehouse, landed: Landed) {
  const rows = await admin<{ first: number }[]>`
    select first_line - ${lineOf(0)} as first from ingest.chunks
    where file_id = ${landed.fileId} order by chunk_no`;
  const { fileId, name, records } = landed;
  return { fileId, name, records, chunks: rows.map(({ first }) => first) };
}

function loadedFiles(model: LedgerModel): ModelFile[] {
  return model.files.filter(({ state }) => state === "loaded")
    .toSorted((a, b) => a.fileId - b.fileId);
}

function textOf(records: readonly ModelRecord[]): string {
  return csv(records.map(eventOf));
}

function eventOf({ event: n, price, broken }: ModelRecord): TestEvent {
  const minute = String(n).padStart(2, "0");
  return event(n, {
    event_time: `${MONTHS[monthOf(n)]}-05T12:${minute}:00Z`,
    price: broken ? "broken" : `${price}.00`,
  });
}

function pick<Value>(values: readonly Value[], which: number): Value | undefined {
  return values[which % Math.max(values.length, 1)];
}
