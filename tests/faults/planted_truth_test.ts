import assert from "node:assert/strict";
import { createCatalog } from "../../domain/generator/create_catalog.ts";
import type { FaultKind } from "../../domain/generator/fault_kinds.ts";
import { FaultPlanter } from "../../domain/generator/fault_planter.ts";
import { readFaultShares } from "../../domain/generator/fault_shares.ts";
import { generateWindow } from "../../domain/generator/generate_window.ts";
import { REES46 } from "../../domain/generator/rees46.ts";
import { startGenerator } from "../../domain/generator_change.ts";
import { type GeneratorState, LONGEST_DELAY_MS } from "../../domain/generator_state.ts";
import { taskQueue } from "../../domain/ingest_api.ts";
import { generateEvents } from "../../workflows/generate_events.ts";
import { type WatchedInbox, watchedInbox } from "../scripts/_watched_inbox.ts";
import { waitFor } from "../harness.ts";
import { listNames } from "./_planted_files.ts";

const SEED = 33;
const FILES = 24;
const FROM = Date.UTC(2026, 0, 5, 12);
const FAULTS = readFaultShares("0.06");
const FILE_FAULTS = readFaultShares("half=0.1,renamed=0.15,drifted=0.25");

/** A line of the ground truth. */
interface TruthLine {
  file: string;
  line: number | null;
  kind: FaultKind;
  event_id: string | null;
  verdict: string;
  copy_of?: string;
}

Deno.test("The ledger finds the faults that a generator planted, each one and no other", async () => {
  await using inbox = await watchedInbox();
  inbox.watch({ settleMs: 1_000 });
  const last = await generate(inbox);
  const truth = await readTruth(`${inbox.folder}/truth`);
  const copies = truth.filter(({ kind }) => kind === "renamed_copy");
  await inbox.settled(FILES + copies.length);
  await waitFor(async () => (await listNames(inbox.inbox)).length === 0, { what: "empty inbox" });

  assert.equal(last.faultsPlanted, truth.length);
  for (const kind of [...Object.keys(FAULTS), ...Object.keys(FILE_FAULTS)]) {
    assert.ok(truth.some((fault) => fault.kind === kind), `no ${kind} was planted`);
  }
  await assertFiles(inbox, copies);
  const records = await assertRecords(inbox, truth);
  await assertLoaded(inbox, last, records);
  assert.deepEqual(await inbox.violations(), []);
});

async function generate({ client, parts, inbox, folder }: WatchedInbox): Promise<GeneratorState> {
  const handle = await client.workflow.start(generateEvents, {
    taskQueue: taskQueue(parts.inboxId),
    workflowId: `generate/${parts.inboxId}`,
    args: [startGenerator({
      directory: inbox,
      truthDirectory: `${folder}/truth`,
      seed: SEED,
      eventsPerSecond: 15,
      from: FROM,
      speed: 100,
      interval: { minMs: 20, maxMs: 160 },
      faults: { ...FAULTS, ...FILE_FAULTS },
      files: FILES,
    })],
  });
  return await handle.result();
}

async function readTruth(directory: string): Promise<TruthLine[]> {
  const names = await listNames(directory);
  const texts = await Promise.all(names.map((name) => Deno.readTextFile(`${directory}/${name}`)));
  return texts.flatMap((text) => text.trimEnd().split("\n").map((line) => JSON.parse(line)));
}

/** Of a file and its copy one is loaded and one a duplicate; all other files are loaded. */
async function assertFiles(inbox: WatchedInbox, copies: readonly TruthLine[]): Promise<void> {
  const files = await inbox.files();
  const states = new Map(files.map(({ file_name, state }) => [file_name, state]));
  assert.equal(states.size, files.length, "a name was seen twice");
  for (const { file, copy_of } of copies) {
    assert.deepEqual([states.get(file), states.get(copy_of!)].toSorted(), ["duplicate", "loaded"]);
  }
  const duplicates = files.filter(({ state }) => state === "duplicate").length;
  const loaded = files.filter(({ state }) => state === "loaded").length;
  assert.deepEqual([duplicates, loaded], [copies.length, FILES]);
}

/** Compares what the ledger found with the truth; gives the number of records of each kind. */
async function assertRecords(
  { sql }: WatchedInbox,
  truth: readonly TruthLine[],
): Promise<{ duplicates: number; rejected: number }> {
  // A copy of the same bytes may have been loaded in the place of its original.
  const nameOf = new Map(truth.flatMap(({ file, copy_of }) => copy_of ? [[file, copy_of]] : []));
  const rejects = await sql<{ file: string; line: number; code: string; event_id: string }[]>`
    select f.file_name as file, r.line_number::int as line, r.faults -> 0 ->> 'code' as code,
           encode(substring(r.raw for 36), 'escape') as event_id
    from ingest.rejects r join ingest.files f using (file_id)`;
  const duplicates = await sql<{ event_id: string }[]>`
    select event_id::text as event_id from ingest.duplicates`;
  const isConflict = (code: string) => code.endsWith("conflicting_event");

  const found = [
    ...duplicates.map(({ event_id }) => `${event_id} duplicate`),
    ...rejects.map(({ file, line, code, event_id }) =>
      isConflict(code)
        ? `${event_id} rejected:${code}`
        : `${nameOf.get(file) ?? file}:${line} rejected:${code}`
    ),
  ];
  const planted = truth.filter(({ line, verdict }) => line !== null && verdict !== "loaded")
    .map(({ file, line, event_id, verdict }) =>
      // Which of the two records of an event gets the verdict is not promised.
      verdict === "duplicate" || isConflict(verdict)
        ? `${event_id} ${verdict}`
        : `${file}:${line} ${verdict}`
    );
  assert.deepEqual(found.toSorted(), planted.toSorted());
  return { duplicates: duplicates.length, rejected: rejects.length };
}

/** The events of the whole period, planted in one piece, are those that were loaded from all files. */
async function assertLoaded(
  { sql }: WatchedInbox,
  { rates, feedTime }: GeneratorState,
  { duplicates, rejected }: { duplicates: number; rejected: number },
): Promise<void> {
  const shop = { seed: SEED, profile: REES46, catalog: createCatalog(SEED, REES46) };
  const rows = generateWindow({ ...shop, rates, from: FROM, to: feedTime });
  const planter = new FaultPlanter({
    seed: SEED,
    shares: FAULTS,
    longestDelayMs: LONGEST_DELAY_MS,
  });
  const records = planter.plant(rows, feedTime);
  const rejectedIds = new Set(
    records.filter(({ fault }) =>
      fault?.verdict.startsWith("rejected:") && fault.kind !== "conflicting_event"
    ).map(({ eventId }) => eventId),
  );
  const expected = new Set(records.map(({ eventId }) => eventId)).difference(rejectedIds);
  const events = await sql<{ event_id: string }[]>`
    select event_id::text as event_id from shop.events order by event_id`;
  assert.deepEqual(events.map(({ event_id }) => event_id), [...expected].toSorted());
  assert.equal(events.length, records.length - duplicates - rejected);
}
