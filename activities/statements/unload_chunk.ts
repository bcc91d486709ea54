import { ApplicationFailure } from "@temporalio/common";
import type { Sql, Transaction } from "../database.ts";
import { appendDeltas, ROLLED_UP_COLUMNS } from "./append_deltas.ts";
import { plainArray } from "./array_literal.ts";
import { lockRecords } from "./lock_records.ts";

/** Committed chunks of a file that is unloading, in order. */
export async function committedChunks(sql: Sql, fileId: number): Promise<number[]> {
  const rows = await sql<{ chunk_no: number }[]>`
    select chunk_no from ingest.chunks
    where file_id = ${fileId} and committed_at is not null order by chunk_no`;
  return rows.map(({ chunk_no }) => chunk_no);
}

/**
 * Takes one chunk out of the warehouse. Events that another file also has are handed over to its oldest copy, all others
 * are deleted with a negative rollup delta; the chunk then counts nothing.
 *
 * @param sql Pool of the ingest role.
 * @param file The file, in state `unloading`.
 * @param chunkNo The chunk.
 */
export async function unloadChunk(
  sql: Sql,
  { fileId, keepRejects }: { fileId: number; keepRejects: boolean },
  chunkNo: number,
): Promise<void> {
  await sql.begin("isolation level read committed", async (tx) => {
    await lockRecords(tx, fileId);
    const range = await lockCommittedChunk(tx, fileId, chunkNo);
    if (range === null) return;
    await takeOutLines(tx, fileId, range);
    if (!keepRejects) {
      await tx`
        update ingest.rejects set state = 'withdrawn', resolved_at = now()
        where file_id = ${fileId} and line_number >= ${range.first} and line_number < ${range.end}
          and state = 'open'`;
    }
    await tx`
      update ingest.chunks
      set loaded = 0, duplicates = 0, rejected = 0, committed_at = null
      where file_id = ${fileId} and chunk_no = ${chunkNo}`;
  });
}

/**
 * Takes the last record of a loaded file out again: it was cut, and a version that grew from it holds the whole one. What
 * the file has behind its first line are pieces of it. Only once, however often it is asked for. `ends_with_newline` is
 * null then, until what had contradicted the record is replayed.
 *
 * @param sql Pool of the ingest role.
 * @param fileId The file that ends within a record.
 * @param first First line of that record.
 * @returns Whether there was something to take out.
 */
export async function unloadCutRecord(sql: Sql, fileId: number, first: number): Promise<boolean> {
  return await sql.begin("isolation level read committed", async (tx) => {
    await lockRecords(tx, fileId);
    const { loaded, duplicates } = await takeOutLines(tx, fileId, { first, end: BEHIND_ALL });
    const rejected = await tx<{ line: number }[]>`
      update ingest.rejects set state = 'withdrawn', resolved_at = now()
      where file_id = ${fileId} and line_number >= ${first} and state in ('open', 'waived')
      returning line_number as line`;
    const [file] = await tx<{ isCut: boolean }[]>`
      select state = 'loaded' and not ends_with_newline as "isCut" from ingest.files
      where file_id = ${fileId} for no key update`;
    // Another attempt has done it, or the file is unloaded by now: what was done here is undone.
    if (!file?.isCut) throw NOTHING_CUT;
    const lines = { loaded, duplicates, rejected: rejected.map(({ line }) => line) };
    for (const [count, taken] of Object.entries(lines)) await countDown(tx, fileId, count, taken);
    await tx`update ingest.files set ends_with_newline = null where file_id = ${fileId}`;
    return true;
  }).catch((error) => {
    if (error === NOTHING_CUT) return false;
    throw error;
  }) as boolean;
}

/** Records of these lines are no longer there, and were counted as said. */
async function countDown(
  tx: Transaction,
  fileId: number,
  count: string,
  lines: number[],
): Promise<void> {
  if (lines.length === 0) return;
  await tx`
    update ingest.chunks c
    set records = c.records - t.records, ${tx(count)} = c.${tx(count)} - t.records
    from (select (select max(o.chunk_no) from ingest.chunks o
                  where o.file_id = ${fileId} and o.first_line <= l.line) as chunk_no,
                 count(*) as records
          from unnest(${plainArray(lines)}::integer[]) as l (line)
          group by 1) t
    where c.file_id = ${fileId} and c.chunk_no = t.chunk_no`;
  await tx`
    update ingest.files
    set records = records - ${lines.length}, ${tx(count)} = ${tx(count)} - ${lines.length}
    where file_id = ${fileId}`;
}

/** No line has this number. */
const BEHIND_ALL = 2147483647;

const NOTHING_CUT = new Error("Nothing to take out");

/** Lines `first` up to but not including `end`. */
interface LineRange {
  first: number;
  end: number;
}

/**
 * Takes the events and duplicates of some lines out; events that another line also has are handed over to it.
 *
 * @returns of which lines there were events, and of which duplicates
 */
async function takeOutLines(
  tx: Transaction,
  fileId: number,
  range: LineRange,
): Promise<{ loaded: number[]; duplicates: number[] }> {
  const freed = await deleteKeys(tx, fileId, range);
  await handOver(tx, fileId, range, freed);
  await deleteEvents(tx, fileId, range, freed);
  const duplicates = await tx<{ line: number }[]>`
    delete from ingest.duplicates
    where file_id = ${fileId} and line_number >= ${range.first} and line_number < ${range.end}
    returning line_number as line`;
  return {
    loaded: freed.map(({ line }) => line),
    duplicates: duplicates.map(({ line }) => line),
  };
}

interface FreedKey {
  line: number;
  event_id: string;
  event_time: string;
  content_hash: string;
}

async function lockCommittedChunk(
  tx: Transaction,
  fileId: number,
  chunkNo: number,
): Promise<LineRange | null> {
  const [file] = await tx<{ state: string }[]>`
    select state from ingest.files where file_id = ${fileId} for share`;
  if (file?.state !== "unloading") {
    throw ApplicationFailure.nonRetryable(
      `Cannot unload file ${fileId}: its state is ${file?.state ?? "gone"}`,
      "StaleClaim",
    );
  }
  const [chunk] = await tx<(LineRange & { committed: boolean })[]>`
    select c.committed_at is not null as committed, c.first_line as first,
           coalesce((select n.first_line from ingest.chunks n
                     where n.file_id = c.file_id and n.chunk_no = c.chunk_no + 1), ${BEHIND_ALL}) as end
    from ingest.chunks c
    where c.file_id = ${fileId} and c.chunk_no = ${chunkNo}
    for update of c`;
  return chunk?.committed ? chunk : null;
}

/** Same order as the load's inserts, so that an unload and a load wait for each other instead of deadlocking. */
function deleteKeys(tx: Transaction, fileId: number, { first, end }: LineRange) {
  return tx<FreedKey[]>`
    with doomed as (
      select k.event_id from ingest.event_keys k
      where k.file_id = ${fileId} and k.line_number >= ${first} and k.line_number < ${end}
      order by k.event_id for update
    )
    delete from ingest.event_keys k using doomed d
    where k.event_id = d.event_id
    returning k.line_number as line, k.event_id, k.event_time::text as event_time,
              k.content_hash::text as content_hash`;
}

interface Heir {
  event_id: string;
  file_id: number;
  line_number: number;
  chunk_no: number;
  state: "loading" | "loaded";
}

/** An equal content hash means equal columns, so the event stays as it is and only changes its owner. */
async function handOver(
  tx: Transaction,
  fileId: number,
  range: LineRange,
  freed: FreedKey[],
): Promise<void> {
  if (freed.length === 0) return;
  const heirs = await findHeirs(tx, fileId, range, freed);
  if (heirs.length === 0) return;
  await lockHeirFiles(tx, heirs);
  const keys = new Map(freed.map((key) => [key.event_id, key]));
  const ids = plainArray(heirs.map(({ event_id }) => event_id));
  const files = plainArray(heirs.map(({ file_id }) => file_id));
  const lines = plainArray(heirs.map(({ line_number }) => line_number));
  const times = heirs.map(({ event_id }) => `"${keys.get(event_id)?.event_time}"`);
  const hashes = plainArray(heirs.map(({ event_id }) => keys.get(event_id)?.content_hash ?? null));
  await tx`
    insert into ingest.event_keys (event_id, event_time, file_id, content_hash, line_number)
    select h.event_id, h.event_time, h.file_id, h.content_hash, h.line_number
    from unnest(${ids}::uuid[], ${plainArray(times)}::timestamptz[], ${files}::bigint[],
                ${hashes}::bigint[], ${lines}::integer[])
      as h (event_id, event_time, file_id, content_hash, line_number)
    order by h.event_id`;
  await tx`
    update shop.events e
    set file_id = h.file_id, line_number = h.line_number
    from unnest(${ids}::uuid[], ${
    plainArray(times)
  }::timestamptz[], ${files}::bigint[], ${lines}::integer[])
      as h (event_id, event_time, file_id, line_number)
    where e.event_id = h.event_id and e.event_time = h.event_time and e.file_id = ${fileId}`;
  await tx`
    delete from ingest.duplicates d
    using unnest(${files}::bigint[], ${lines}::integer[]) as h (file_id, line_number)
    where d.file_id = h.file_id and d.line_number = h.line_number`;
  await moveCounts(tx, heirs);
}

/** Other lines of the same file count when it stays loaded. */
function findHeirs(
  tx: Transaction,
  fileId: number,
  { first, end }: LineRange,
  freed: FreedKey[],
) {
  return tx<Heir[]>`
    select distinct on (d.event_id) d.event_id, d.file_id, d.line_number, f.state,
           (select max(c.chunk_no) from ingest.chunks c
            where c.file_id = d.file_id and c.first_line <= d.line_number) as chunk_no
    from ingest.duplicates d
    join ingest.files f on f.file_id = d.file_id
    where d.event_id = any(${plainArray(freed.map(({ event_id }) => event_id))}::uuid[])
      and not (d.file_id = ${fileId} and d.line_number >= ${first} and d.line_number < ${end})
      and f.state in ('loading', 'loaded')
    order by d.event_id, d.file_id, d.line_number`;
}

/**
 * A loading heir is only held in its state, because its own chunks may be waiting for our keys; a loaded one is locked
 * to have its counts changed. A state that changed in between is seen by a new attempt.
 */
async function lockHeirFiles(tx: Transaction, heirs: Heir[]): Promise<void> {
  const states = new Map(heirs.map(({ file_id, state }) => [file_id, state]));
  for (const [fileId, state] of [...states].sort(([a], [b]) => a - b)) {
    const [file] = await tx<{ state: string }[]>`
      select state from ingest.files where file_id = ${fileId}
      ${state === "loading" ? tx`for share` : tx`for no key update`}`;
    if (file?.state === state) continue;
    throw ApplicationFailure.create({
      type: "HeirChanged",
      message: `Cannot hand events over to file ${fileId}: its state changed. It is tried again.`,
      category: "BENIGN",
    });
  }
}

async function moveCounts(tx: Transaction, heirs: Heir[]): Promise<void> {
  const moved = new Map<string, Heir & { events: number }>();
  for (const heir of heirs) {
    const key = `${heir.file_id}/${heir.chunk_no}`;
    moved.set(key, { ...heir, events: (moved.get(key)?.events ?? 0) + 1 });
  }
  // In one order: unloads share the lock of a loading heir.
  const sorted = [...moved.values()].sort((a, b) =>
    a.file_id - b.file_id || a.chunk_no - b.chunk_no
  );
  for (const { file_id, chunk_no, state, events } of sorted) {
    await tx`
      update ingest.chunks set duplicates = duplicates - ${events}, loaded = loaded + ${events}
      where file_id = ${file_id} and chunk_no = ${chunk_no}`;
    if (state === "loading") continue;
    await tx`
      update ingest.files set duplicates = duplicates - ${events}, loaded = loaded + ${events}
      where file_id = ${file_id}`;
  }
}

/** Events that were handed over carry another file's number by now. */
async function deleteEvents(
  tx: Transaction,
  fileId: number,
  { first, end }: LineRange,
  freed: FreedKey[],
): Promise<void> {
  if (freed.length === 0) return;
  const times = plainArray(freed.map(({ event_time }) => `"${event_time}"`));
  await tx.unsafe(DELETE_EVENTS, [fileId, first, end, times], { prepare: true });
}

const DELETE_EVENTS = `
    with span as (
      select min(t.event_time) as earliest, max(t.event_time) as latest
      from unnest($4::timestamptz[]) as t (event_time)
    ),
    gone as (
      delete from shop.events e
      where e.file_id = $1::bigint and e.line_number >= $2::integer and e.line_number < $3::integer
        and e.event_time >= (select s.earliest from span s)
        and e.event_time <= (select s.latest from span s)
      returning ${ROLLED_UP_COLUMNS}
    )${appendDeltas("gone", "-")}`;
