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
  /** By `<name>:<line>` of each of the rejects, the record as it was meant. */
  corrections: Map<string, Correction>;
  /** Those that were applied, by name of the file. */
  corrected: Map<string, Correction[]>;
}

/** A reject as it was meant. */
export interface Correction {
  /** As in the rejects. */
  reject: string;
  eventId: string;
  text: string;
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
    corrections: new Map(),
    corrected: new Map(),
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
    addTruth(planted, name, file, own);
    const faulty = new Set(file.truth.map(({ eventId }) => eventId));
    shared = own.filter(([eventId]) => !faulty.has(eventId as string)).slice(0, SHARED_ROWS);
  }
  return planted;
}

function addTruth(
  planted: PlantedFiles,
  name: string,
  { truth }: FaultyFile,
  own: ReturnType<typeof eventRows>,
): void {
  const rows = new Map(own.map((row) => [row[0] as string, row]));
  const lost = new Set<string>();
  for (const { line, kind, verdict, eventId } of truth) {
    if (kind === "conflicting_event") planted.conflicts++;
    else if (verdict.startsWith("rejected:")) {
      lost.add(eventId);
      const reject = `${name}:${line} ${verdict.slice("rejected:".length)}`;
      planted.rejects.add(reject);
      const text = writeEvents([rows.get(eventId)!]).trimEnd();
      planted.corrections.set(`${name}:${line}`, { reject, eventId, text });
    }
  }
  for (const id of rows.keys()) if (!lost.has(id)) planted.eventIds.add(id);
}

/** From now on the event of a reject must be loaded, and nothing rejected there. */
export function expectCorrection(
  { corrected, eventIds, rejects }: PlantedFiles,
  name: string,
  correction: Correction,
): void {
  corrected.set(name, [...corrected.get(name) ?? [], correction]);
  eventIds.add(correction.eventId);
  rejects.delete(correction.reject);
}

/** From now on the file must be loaded as it came. */
export function withdrawCorrections(
  { corrected, eventIds, rejects }: PlantedFiles,
  name: string,
): void {
  for (const { eventId, reject } of corrected.get(name) ?? []) {
    eventIds.delete(eventId);
    rejects.add(reject);
  }
  corrected.delete(name);
}

/** Compares the database, the inbox and the archive with what was planted; of a file that was retried, its last retry. */
export async function assertPlanted(
  { sql, inbox, archive, verify }: Pick<FaultPipeline, "sql" | "inbox" | "archive" | "verify">,
  planted: PlantedFiles,
): Promise<void> {
  const files = await sql<{ file_name: string; state: string; archive_path: string }[]>`
    select f.file_name, f.state, f.archive_path from ingest.files f
    where not exists (select from ingest.files r where r.retry_of = f.file_id)
    order by f.file_name`;
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
    from ingest.rejects r join ingest.files f using (file_id)
    where f.state = 'loaded' and r.state in ('open', 'waived')`;
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
