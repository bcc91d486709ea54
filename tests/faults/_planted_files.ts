import assert from "node:assert/strict";
import { type FaultyFile, plantFaults } from "../../domain/generator/plant_faults.ts";
import { writeEvents } from "../../domain/generator/write_events.ts";
import { eventRows } from "../event_lines.ts";
import type { FaultPipeline } from "./_fault_pipeline.ts";

/** Share of the events of a file that are at fault in some way. */
const FAULT_SHARE = 0.03;
/** Of each file's events that are sound, this many stand in the next file once more. */
const SHARED_ROWS = 40;

/** Files with planted faults, and all that must come of them. */
export interface PlantedFiles {
  names: string[];
  /** Ids of all events that must be loaded, each once. */
  eventIds: Set<string>;
  /** Over all files. */
  duplicates: number;
  /** `<name>:<line> <code>` of each reject, those of conflicting events excepted. */
  rejects: Set<string>;
  /** Conflicting events: of two lines with one id, one is loaded and one rejected. */
  conflicts: number;
}

/**
 * Writes files of generated events into the inbox, with duplicates within and across files, and with
 * records that are at fault in every way.
 *
 * @param options.rows Events per file, faults included.
 */
export async function plantFiles(
  inbox: string,
  { files, rows, seed }: { files: number; rows: number; seed: number },
): Promise<PlantedFiles> {
  const planted: PlantedFiles = {
    names: [],
    eventIds: new Set(),
    duplicates: 0,
    rejects: new Set(),
    conflicts: 0,
  };
  const events = eventRows({ seed, rows: files * rows });
  let shared: ReturnType<typeof eventRows> = [];
  for (let index = 0; index < files; index++) {
    const own = events.slice(index * rows, (index + 1) * rows);
    const name = `events-${String(index).padStart(3, "0")}.csv`;
    const file = plantFaults({ rows: own, seed: seed + index, share: FAULT_SHARE });
    const copies = new TextEncoder().encode(writeEvents(shared));
    await Deno.writeFile(`${inbox}/${name}`, concat(file.bytes, copies));
    planted.names.push(name);
    planted.duplicates += file.expected.duplicates + shared.length;
    addTruth(planted, name, file, own.map(([eventId]) => eventId as string));
    const faulty = new Set(file.truth.map(({ eventId }) => eventId));
    shared = own.filter(([eventId]) => !faulty.has(eventId as string)).slice(0, SHARED_ROWS);
  }
  return planted;
}

function addTruth(
  planted: PlantedFiles,
  name: string,
  { truth }: FaultyFile,
  ids: readonly string[],
): void {
  const lost = new Set<string>();
  for (const { line, kind, verdict, eventId } of truth) {
    if (kind === "conflicting_event") planted.conflicts++;
    else if (verdict.startsWith("rejected:")) {
      lost.add(eventId);
      planted.rejects.add(`${name}:${line} ${verdict.slice("rejected:".length)}`);
    }
  }
  for (const id of ids) if (!lost.has(id)) planted.eventIds.add(id);
}

/** Compares the database, the inbox and the archive with what was planted. */
export async function assertPlanted(
  { sql, inbox, archive, verify }: Pick<FaultPipeline, "sql" | "inbox" | "archive" | "verify">,
  planted: PlantedFiles,
): Promise<void> {
  const files = await sql<{ file_name: string; state: string; archive_path: string }[]>`
    select file_name, state, archive_path from ingest.files order by file_name`;
  assert.deepEqual(
    files.map(({ file_name, state }) => `${file_name} ${state}`),
    planted.names.map((name) => `${name} loaded`),
  );

  const ids = await sql<{ event_id: string }[]>`select event_id from shop.events`;
  assert.equal(ids.length, planted.eventIds.size);
  for (const { event_id } of ids) assert.ok(planted.eventIds.has(event_id), event_id);
  assert.equal(new Set(ids.map(({ event_id }) => event_id)).size, ids.length);

  const [{ duplicates } = {}] = await sql`
    select count(*)::integer as duplicates from ingest.duplicates`;
  assert.equal(duplicates, planted.duplicates);
  const rejects = await sql<{ at: string; code: string }[]>`
    select f.file_name || ':' || r.line_number as at, r.faults -> 0 ->> 'code' as code
    from ingest.rejects r join ingest.files f using (file_id)`;
  const conflicts = rejects.filter(({ code }) => code === "conflicting_event");
  assert.equal(conflicts.length, planted.conflicts);
  assert.deepEqual(
    rejects.filter(({ code }) => code !== "conflicting_event")
      .map(({ at, code }) => `${at} ${code}`).toSorted(),
    [...planted.rejects].toSorted(),
  );
  assert.deepEqual(await verify(), []);

  const left = (await listNames(inbox)).filter((name) => name !== ".clickledger-inbox");
  assert.deepEqual(left, []);
  assert.deepEqual(
    (await listNames(archive)).map((name) => `${archive}/${name}`),
    files.map(({ archive_path }) => archive_path).toSorted(),
  );
}

/** Names in a directory, hidden ones included, in order. */
export async function listNames(directory: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(directory));
  return entries.map(({ name }) => name).toSorted();
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
