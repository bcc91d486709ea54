import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import type { EventRow } from "../../domain/generator/event_stream.ts";
import { drawHeaderDrift, NO_DRIFT } from "../../domain/generator/header_drift.ts";
import { type FaultyFile, plantFaults } from "../../domain/generator/plant_faults.ts";
import { Prng } from "../../domain/generator/prng.ts";
import { writeEvents } from "../../domain/generator/write_events.ts";
import { eventRows } from "../event_lines.ts";
import type { FaultPipeline } from "./_fault_pipeline.ts";

/** Share of the events of a file that are at fault in some way. */
const FAULT_SHARE = 0.03;
/** Of each file's events that are sound, this many stand in the next file once more. */
const SHARED_ROWS = 40;
/** Of mixed files, one in so many is compressed, has another header, or lands a second time under another name. */
const EVERY = { compressed: 3, drifted: 4, copied: 5 };
const LF = 10;

/** A record that must be rejected as it stands. */
export interface PlantedReject {
  line: number;
  code: string;
  eventId: string;
  /** The record as it should have been. */
  meant: string;
  /** Whether that has been stored for it, so that a replay loads the event. */
  isCorrected: boolean;
}

/** A file with planted faults, and all that must come of it. */
export interface PlantedFile {
  name: string;
  /** As it lands. */
  bytes: Uint8Array<ArrayBuffer>;
  /** Whether a part of it can be read by itself. */
  isText: boolean;
  /** Name of the file that has the same bytes, of which one is loaded. */
  copyOf?: string;
  records: number;
  /** All but those of conflicting events. */
  rejects: PlantedReject[];
  /** Lines whose event stands with another content further up: of the two, one is loaded and one rejected. */
  conflictLines: number[];
}

/** Files, and what must come of all of them together. */
export interface PlantedFiles {
  files: PlantedFile[];
  names: string[];
  /** Ids of all events that must be loaded, each once. */
  eventIds: Set<string>;
}

/**
 * Writes files of generated events, with duplicates within and across files, and with records that are at fault in
 * every way.
 *
 * @param options.rows Events per file, faults included.
 * @param options.mixed Some files are compressed, drifted, or there twice.
 */
export async function plantFiles(
  directory: string,
  { files, rows, seed, mixed = false }: {
    files: number;
    rows: number;
    seed: number;
    mixed?: boolean;
  },
): Promise<PlantedFiles> {
  const planted: PlantedFile[] = [];
  const eventIds = new Set<string>();
  const events = eventRows({ seed, rows: files * rows });
  let shared: EventRow[] = [];
  for (let index = 0; index < files; index++) {
    const is = (every: number) => mixed && index % every === every - 1;
    const drift = is(EVERY.drifted) ? drawHeaderDrift(new Prng(seed, index)) : NO_DRIFT;
    const own = events.slice(index * rows, (index + 1) * rows);
    const file = plantFaults({ rows: own, seed: seed + index, share: FAULT_SHARE, drift });
    const text = concat(
      file.bytes,
      new TextEncoder().encode(writeEvents(shared.map((row) => drift.lay(row)))),
    );
    const compressed = is(EVERY.compressed);
    const name = `events-${String(index).padStart(3, "0")}.csv${compressed ? ".gz" : ""}`;
    planted.push({
      name,
      bytes: compressed ? new Uint8Array(gzipSync(text)) : text,
      isText: !compressed,
      records: file.expected.records + shared.length,
      ...readTruth(file, new Map(own.map((row) => [row[0] as string, drift.lay(row)]))),
    });
    if (is(EVERY.copied)) {
      planted.push({ ...planted.at(-1)!, name: `copy-of-${name}`, copyOf: name });
    }
    addAccepted(eventIds, file, own);
    const faulty = new Set(file.truth.map(({ eventId }) => eventId));
    shared = own.filter(([eventId]) => !faulty.has(eventId as string)).slice(0, SHARED_ROWS);
  }
  for (const { name, bytes } of planted) await Deno.writeFile(`${directory}/${name}`, bytes);
  return { files: planted, names: planted.map(({ name }) => name), eventIds };
}

/** @param meant the rows as they were before faults were planted, by the id of the event */
function readTruth(
  { truth }: FaultyFile,
  meant: ReadonlyMap<string, EventRow>,
): Pick<PlantedFile, "rejects" | "conflictLines"> {
  const isConflict = ({ kind }: { kind: string }) => kind === "conflicting_event";
  return {
    conflictLines: truth.filter(isConflict).map(({ line }) => line),
    rejects: truth.filter((fault) => !isConflict(fault)).flatMap(({ line, verdict, eventId }) =>
      verdict.startsWith("rejected:")
        ? [{
          ...{ line, eventId, isCorrected: false },
          code: verdict.slice("rejected:".length),
          meant: writeEvents([meant.get(eventId)!]).trimEnd(),
        }]
        : []
    ),
  };
}

function addAccepted(ids: Set<string>, { truth }: FaultyFile, rows: readonly EventRow[]): void {
  const lost = new Set(
    truth.filter(({ kind, verdict }) =>
      verdict.startsWith("rejected:") && kind !== "conflicting_event"
    ).map(({ eventId }) => eventId),
  );
  for (const [id] of rows) if (!lost.has(id as string)) ids.add(id as string);
}

/** A file as the ledger has it. */
interface Row {
  id: number;
  name: string;
  state: string;
  code: string | null;
  size: number;
  records: number;
  archivePath: string | null;
  retried: boolean;
}

/**
 * Compares the database, the inbox and the archive with what was planted.
 *
 * @param options.steered Files were written in pieces, or taken out and loaded again: beside the whole version of a file
 * there may be one that was read too early, and rows that something else took the place of.
 * @returns what was found, all of it planted
 */
export async function assertPlanted(
  { sql, inbox, archive, failed, verify }:
    & Pick<FaultPipeline, "sql" | "inbox" | "archive" | "verify">
    & Partial<Pick<FaultPipeline, "failed">>,
  planted: PlantedFiles,
  { steered = false }: { steered?: boolean } = {},
): Promise<{ events: number; duplicates: number; rejects: number; corrected: number }> {
  const rows = await sql<Row[]>`
    select f.file_id::integer as id, f.file_name as name, f.state, f.error_code as code,
           f.size_bytes::integer as size, f.records::integer as records,
           f.archive_path as "archivePath",
           exists (select from ingest.files r where r.retry_of = f.file_id) as retried
    from ingest.files f order by f.file_name, f.file_id`;
  const byName = new Map(planted.files.map((file) => [file.name, file]));
  const loaded = rows.filter(({ state }) => state === "loaded");
  if (!steered) assert.deepEqual(rows.map(({ name }) => name), planted.names.toSorted());
  for (const row of rows) {
    const all = JSON.stringify(rows.filter(({ name }) => name === row.name), null, 1);
    assert.ok(isExplained(row, byName.get(row.name)), `file ${row.id} of ${all}`);
  }
  const whole = loaded.filter(({ name, size }) => size === byName.get(name)?.bytes.length);
  assert.deepEqual(
    whole.map(({ name }) => byName.get(name)?.copyOf ?? name).toSorted(),
    planted.files.filter(({ copyOf }) => copyOf === undefined).map(({ name }) => name).toSorted(),
    "files of which the whole is loaded",
  );

  const { accepted, rejects, corrected } = await assertRecords(sql, loaded, byName);
  const expected = planted.eventIds.union(corrected);
  const ids = await sql<{ event_id: string }[]>`select event_id from shop.events`;
  assert.equal(ids.length, expected.size);
  for (const { event_id } of ids) assert.ok(expected.has(event_id), event_id);
  assert.equal(new Set(ids.map(({ event_id }) => event_id)).size, ids.length);

  const [{ duplicates } = {}] = await sql`
    select count(*)::integer as duplicates from ingest.duplicates`;
  assert.equal(duplicates, accepted - ids.length, "duplicates");
  assert.deepEqual(await verify(), []);

  const left = (await listNames(inbox)).filter((name) => name !== ".clickledger-inbox");
  assert.deepEqual(left, []);
  const kept = await Promise.all(
    [archive, ...(failed ? [failed] : [])].map(async (directory) =>
      (await listNames(directory)).map((name) => `${directory}/${name}`)
    ),
  );
  assert.deepEqual(
    kept.flat().toSorted(),
    rows.flatMap(({ archivePath }) => archivePath ?? []).toSorted(),
  );
  return { events: ids.length, duplicates, rejects, corrected: corrected.size };
}

/** Loaded, or there is a reason why not. */
function isExplained({ state, code, size, retried }: Row, file: PlantedFile | undefined): boolean {
  if (file === undefined) return false;
  const isCut = size < file.bytes.length;
  switch (state) {
    case "loaded":
      return isCut ? file.isText : size === file.bytes.length;
    case "duplicate":
      return true;
    case "failed":
      // Between two names for a moment, a version that another one is moved in the place of is not there.
      return code === "vanished" || isCut && code !== null && CUT_CODES.has(code);
    default:
      return retried || isCut && code === "replaced";
  }
}

/** What may be wrong with a file that is read while it is written. */
const CUT_CODES: ReadonlySet<string> = new Set([
  ...["changed", "replaced", "empty_file", "header_not_recognised", "missing_column"],
]);

/** @returns how many records of loaded files are rejected, how many are not, and the events of those that were corrected */
async function assertRecords(
  sql: FaultPipeline["sql"],
  loaded: readonly Row[],
  byName: ReadonlyMap<string, PlantedFile>,
): Promise<{ accepted: number; rejects: number; corrected: Set<string> }> {
  const rows = await sql<{ id: number; line: number; code: string; replayed: boolean }[]>`
    select r.file_id::integer as id, r.line_number::integer as line, r.faults -> 0 ->> 'code' as code,
           r.state = 'replayed' as replayed
    from ingest.rejects r join ingest.files f using (file_id)
    where f.state = 'loaded' and r.state <> 'withdrawn'`;
  const byFile = Map.groupBy(rows, ({ id }) => id);
  const corrected = new Set<string>();
  let accepted = 0;
  for (const { id, name, size, records } of loaded) {
    const file = byName.get(name)!;
    const end = size < file.bytes.length ? countLines(file.bytes, size) : Infinity;
    const of = byFile.get(id) ?? [];
    const conflicts = of.filter(({ code }) => code === "conflicting_event");
    const show = ({ line, code }: { line: number; code: string }) => `${line} ${code}`;
    assert.deepEqual(
      of.filter(({ code }) => code !== "conflicting_event").map(show).toSorted(),
      file.rejects.filter(({ line }) => line <= end).map(show).toSorted(),
      `rejects of file ${id}, ${name}, lines up to ${end}`,
    );
    // Of a version that was read too early, also what contradicts its whole version may have come later.
    const most = file.conflictLines.length;
    const least = file.conflictLines.filter((line) => line <= end).length;
    assert.ok(conflicts.length >= least && conflicts.length <= most, `conflicts of ${name}`);
    assert.equal(records, end === Infinity ? file.records : end - 1, `records of ${name}`);
    for (const { line } of of.filter(({ replayed }) => replayed)) {
      const reject = file.rejects.find((planted) => planted.line === line);
      assert.ok(reject?.isCorrected, `${name}:${line} was replayed as it stood`);
      corrected.add(reject.eventId);
    }
    accepted += records - of.filter(({ replayed }) => !replayed).length;
  }
  return { accepted, rejects: rows.filter(({ replayed }) => !replayed).length, corrected };
}

/** Those of the first bytes that are complete, the header among them; the last one may lack its line end. */
function countLines(bytes: Uint8Array, size: number): number {
  let lines = 0;
  for (let at = bytes.indexOf(LF); at >= 0 && at <= size; at = bytes.indexOf(LF, at + 1)) lines++;
  return lines;
}

/** Names in a directory, hidden ones included, in order. */
export async function listNames(directory: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(directory));
  return entries.map(({ name }) => name).toSorted();
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
