import { join } from "node:path";
import type { Sql } from "../../activities/database.ts";
import { countOf, duration } from "../cli/numbers.ts";
import { sleep } from "../cli/sleep.ts";
import { openQueryPool } from "../cli/with_database.ts";
import type { Config } from "../config.ts";
import { generateBulk } from "../generate_bulk.ts";
import { createLogger } from "../log.ts";
import { type Pipeline, startPipeline } from "../services/start_pipeline.ts";

/** How long one object takes at one size. */
export interface WarehouseResult {
  /** As it is called. */
  readonly object: string;
  /** What its comment says that it reads. */
  readonly reads: "rollups" | "events";
  /** Events in the database. */
  readonly size: number;
  readonly rows: number;
  /** Median. */
  readonly ms: number;
  /** What its plan scans. */
  readonly plan: string;
}

/** Load of the files up to one size. */
export interface WarehouseLoad {
  readonly size: number;
  readonly rowsPerSecond: number;
}

const ROWS_PER_FILE = 1_000_000;
const PERIOD_MS = 28 * 86_400_000;
/** An object that takes longer is asked fewer times. */
const SLOW_MS = 5_000;

/**
 * Loads generated files through the pipeline until each size is reached, spread over the last four weeks, and asks every
 * object of `shop` with the defaults of its parameters.
 *
 * @param config A home of its own, which is not removed.
 * @param options.sizes Events in all, ascending.
 * @param options.runs Times of which the median counts.
 */
export async function benchWarehouse(
  config: Config,
  { sizes, runs, onProgress }: {
    sizes: readonly number[];
    runs: number;
    onProgress: (line: string) => void;
  },
): Promise<{ loads: WarehouseLoad[]; results: WarehouseResult[] }> {
  await using pipeline = await startPipeline(config, {
    roles: { worker: true, watch: true, dashboard: false },
    progress: () => {},
    log: createLogger("error"),
  });
  const owner = openQueryPool(pipeline.run.ownerDatabaseUrl, "owner");
  const reader = openQueryPool(pipeline.run.databaseUrl, "reader");
  try {
    const loads: WarehouseLoad[] = [];
    const results: WarehouseResult[] = [];
    let loaded = 0;
    for (const [index, size] of sizes.entries()) {
      onProgress(`Loading up to ${countOf(size, "event")}`);
      const seconds = await load(pipeline, owner, { rows: size - loaded, seed: index + 1 });
      loads.push({ size, rowsPerSecond: (size - loaded) / seconds });
      loaded = size;
      for (const object of await listQuestions(reader)) {
        const result = await measure(reader, object, runs);
        onProgress(`${size.toLocaleString("en-US")}: ${object.call} ${duration(result.ms)}`);
        results.push({ ...result, size });
      }
    }
    return { loads, results };
  } finally {
    await Promise.all([owner.end({ timeout: 2 }), reader.end({ timeout: 2 })]);
  }
}

/** Seconds from the first file to the last commit; then the rollups are folded and the statistics made. */
async function load(
  { run }: Pipeline,
  owner: Sql,
  { rows, seed }: { rows: number; seed: number },
): Promise<number> {
  const directory = join(run.inbox, "..", `bulk-${seed}`);
  const files = Math.ceil(rows / ROWS_PER_FILE);
  await generateUpToNow({ directory, rows, files, seed });
  const [before] = await owner<{ settled: number }[]>`
    select count(*) as settled from ingest.files where settled_at is not null`;
  const startedAt = performance.now();
  for await (const { name } of Deno.readDir(directory)) {
    await Deno.rename(join(directory, name), join(run.inbox, `${seed}-${name}`));
  }
  for (;;) {
    const [now] = await owner<{ settled: number; failed: number }[]>`
      select count(*) filter (where settled_at is not null) as settled,
             count(*) filter (where state = 'failed') as failed from ingest.files`;
    if (now!.failed > 0) throw new Error("Cannot measure: a file failed to load");
    if (now!.settled >= before!.settled + files) break;
    await sleep(200);
  }
  const seconds = (performance.now() - startedAt) / 1000;
  await Deno.remove(directory, { recursive: true });
  await owner`select shop.fold_rollups()`;
  for (const table of await loadedTables(owner)) await owner.unsafe(`vacuum (analyze) ${table}`);
  return seconds;
}

/** How long so many events take depends on the weekday: what ends too early is shifted. */
async function generateUpToNow(
  options: { directory: string; rows: number; files: number; seed: number },
): Promise<void> {
  let from = Date.now() - PERIOD_MS;
  for (let attempt = 1; attempt <= 2; attempt++) {
    await Deno.remove(options.directory, { recursive: true }).catch(() => {});
    await generateBulk({ ...options, from });
    from += Math.max(0, Date.now() - await lastEventTime(options.directory));
  }
}

async function lastEventTime(directory: string): Promise<number> {
  const names = (await Array.fromAsync(Deno.readDir(directory))).map(({ name }) => name).sort();
  using file = await Deno.open(join(directory, names.at(-1)!));
  const tail = new Uint8Array(2_000);
  await file.seek(-tail.length, Deno.SeekMode.End);
  await file.read(tail);
  const line = new TextDecoder().decode(tail).trimEnd().split("\n").at(-1)!;
  return Date.parse(line.split(",")[1]!);
}

async function loadedTables(owner: Sql): Promise<string[]> {
  const tables = await owner<{ name: string }[]>`
    select c.oid::regclass::text as name from pg_class c
    where c.relkind = 'r' and c.relnamespace in ('shop'::regnamespace, 'ingest'::regnamespace)`;
  return tables.map(({ name }) => name);
}

interface Question {
  readonly call: string;
  readonly reads: "rollups" | "events";
}

/** Functions that answer without being told anything. */
async function listQuestions(reader: Sql): Promise<Question[]> {
  return [
    ...await reader<Question[]>`
      select format('shop.%I()', p.proname) as call,
             case when obj_description(p.oid, 'pg_proc') like '%Scans%' then 'events' else 'rollups' end as reads
      from pg_proc p
      where p.pronamespace = 'shop'::regnamespace and p.proretset and p.pronargs = p.pronargdefaults
      order by reads desc, call`,
  ];
}

async function measure(
  reader: Sql,
  { call, reads }: Question,
  runs: number,
): Promise<Omit<WarehouseResult, "size">> {
  const query = `select * from ${call}`;
  const times: number[] = [];
  let rows = 0;
  // The first run fills the caches and does not count, unless it is the only one worth waiting for.
  for (let run = 0; run <= runs; run++) {
    const startedAt = performance.now();
    rows = (await reader.unsafe(query)).length;
    const ms = performance.now() - startedAt;
    if (run > 0 || ms > SLOW_MS) times.push(ms);
    if (ms > SLOW_MS && times.length >= 2) break;
  }
  times.sort((a, b) => a - b);
  const [explained] = await reader.unsafe(`explain (format json) ${query}`);
  return {
    object: call,
    reads,
    rows,
    ms: times[Math.floor(times.length / 2)]!,
    plan: describeScans(explained?.["QUERY PLAN"] as PlanNode[]),
  };
}

interface PlanNode {
  readonly Plan?: PlanNode;
  readonly Plans?: readonly PlanNode[];
  readonly "Node Type"?: string;
  readonly "Relation Name"?: string;
  readonly "Index Name"?: string;
}

/** The scans of a plan, each once: `Index Scan minute_rollup_base`; months are counted. */
function describeScans(plans: readonly PlanNode[]): string {
  const found = new Map<string, number>();
  const walk = (node: PlanNode): void => {
    const relation = node["Relation Name"]?.replace(/^events_(\d{4}_\d\d|before_.*)$/, "events");
    if (relation !== undefined) {
      const scan = `${node["Node Type"]?.replace(/ Scan$/, "")} ${relation}`;
      found.set(scan, (found.get(scan) ?? 0) + 1);
    }
    for (const child of node.Plans ?? []) walk(child);
    if (node.Plan) walk(node.Plan);
  };
  plans.forEach(walk);
  return [...found].map(([scan, times]) => times > 1 ? `${times} × ${scan}` : scan).join(", ");
}
