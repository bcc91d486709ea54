import assert from "node:assert/strict";
import { FILE_FAULT_CODES, RECORD_FAULT_CODES } from "../../domain/faults.ts";
import { FILE_STATES, UNLOAD_TARGETS } from "../../domain/ledger.ts";
import { EVENT_TYPES, SHOP_EVENTS } from "../../domain/shop_events.ts";
import { csv, event, events } from "../activities/_events.ts";
import { ingest } from "../activities/_ingest.ts";
import { warehouse } from "../activities/_warehouse.ts";
import { testDatabase } from "../harness.ts";

type Admin = Awaited<ReturnType<typeof testDatabase>>["sql"];

Deno.test("shop.events has the contract's columns, then those of the pipeline", async () => {
  await using database = await testDatabase();
  const rows = await database.sql`
    select attname as name, format_type(atttypid, atttypmod) as type, attnotnull as required
    from pg_attribute
    where attrelid = 'shop.events'::regclass and attnum > 0 and not attisdropped
    order by attnum`;
  const contract = SHOP_EVENTS.columns.map(({ name, postgresType, nullable }) => ({
    name,
    type: longName(postgresType),
    required: !nullable,
  }));
  assert.deepEqual(rows.map((row) => ({ ...row })), [
    ...contract,
    { name: "processed_at", type: "timestamp with time zone", required: true },
    { name: "file_id", type: "bigint", required: true },
    { name: "line_number", type: "integer", required: true },
    { name: "extras", type: "jsonb", required: false },
  ]);
});

Deno.test("shop.events allows the contract's event types", async () => {
  await using database = await testDatabase();
  const definition = await constraint(database.sql, "shop.events", "events_type_known");
  assert.deepEqual(quoted(definition), [...EVENT_TYPES]);
});

Deno.test("ingest.files allows the states, unload targets and fault codes of the code", async () => {
  await using database = await testDatabase();
  const known: Record<string, readonly string[]> = {
    files_state_known: FILE_STATES,
    files_unload_to_known: UNLOAD_TARGETS,
    files_error_code_known: FILE_FAULT_CODES,
  };
  for (const [name, expected] of Object.entries(known)) {
    const definition = await constraint(database.sql, "ingest.files", name);
    assert.deepEqual(quoted(definition).toSorted(), [...expected].toSorted(), name);
  }
});

Deno.test("ingest.rejects allows the fault codes of records", async () => {
  await using database = await testDatabase();
  const definition = await constraint(database.sql, "ingest.rejects", "rejects_faults_known");
  const codes = definition.match(/\^\(([a-z_0-9|]+)\)\$/)?.[1]?.split("|") ?? [];
  assert.deepEqual(codes.toSorted(), [...RECORD_FAULT_CODES].toSorted());
});

Deno.test("ingest.rejects refuses faults that are unknown, empty, or hold a value", async (t) => {
  await using database = await testDatabase();
  const { sql } = database;
  await sql`
    insert into ingest.files (feed, contract_version, inbox_id, path, file_name, ino, size_bytes,
      mtime_ms, ctime_ms, workflow_id, discovered_at)
    values ('shop_events', 1, gen_random_uuid(), '/a', 'a', 1, 1, 1, 1, 'w', now())`;
  const insert = (faults: unknown, line: number) =>
    sql`
    insert into ingest.rejects (file_id, line_number, byte_start, byte_length, raw, faults, contract_version)
    values (1, ${line}, 0, 0, '', ${sql.json(faults as never)}, 1)`;
  await insert([{ code: "too_long", column: "brand", expected: "text" }, { code: "nul_byte" }], 1);
  const refused: Record<string, [faults: unknown, constraint: string]> = {
    "no fault": [[], "rejects_faults_known"],
    "an unknown code": [[{ code: "too_lon" }], "rejects_faults_known"],
    "a known and an unknown code": [[{ code: "nul_byte" }, { code: "x" }], "rejects_faults_known"],
    "no code": [[{ column: "brand" }], "rejects_faults_known"],
    "a code that is no text": [[{ code: 1 }], "rejects_faults_known"],
    "a value": [[{ code: "too_long", value: "secret" }], "rejects_faults_without_value"],
  };
  for (const [name, [faults, constraint_name]] of Object.entries(refused)) {
    await t.step(
      name,
      () => assert.rejects(async () => await insert(faults, 2), { constraint_name }),
    );
  }
});

Deno.test("shop.events has a processing timestamp on every row of every partition", async () => {
  await using house = await warehouse();
  const before = new Date();
  const rows = ["2001-02-03T00:00:00Z", "2020-05-06T00:00:00Z"].map((event_time, n) =>
    event(100 + n, { event_time })
  );
  await ingest(house, await house.land("a.csv", csv([...events(0, 10), ...rows])));
  const partitions = await house.admin<
    { partition: string; required: boolean; default: string; rows: number }[]
  >`
    select c.relname as partition, a.attnotnull as required, pg_get_expr(d.adbin, d.adrelid) as default
    from pg_inherits i join pg_class c on c.oid = i.inhrelid
    join pg_attribute a on a.attrelid = c.oid and a.attname = 'processed_at'
    left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
    where i.inhparent = 'shop.events'::regclass order by 1`;
  assert.deepEqual(partitions.map((row) => ({ ...row })), [
    { partition: "events_2020_05", required: true, default: "now()" },
    { partition: "events_2026_01", required: true, default: "now()" },
    { partition: "events_before_2020_01", required: true, default: "now()" },
  ]);
  const stamps = await house.admin<{ processed_at: Date }[]>`select processed_at from shop.events`;
  assert.equal(stamps.length, 12);
  for (const { processed_at } of stamps) {
    // The clocks of client and server are one here, but not their resolution.
    assert.ok(processed_at.getTime() >= before.getTime() - 1 && processed_at <= new Date());
  }
});

async function constraint(sql: Admin, table: string, name: string): Promise<string> {
  const [row] = await sql<{ definition: string }[]>`
    select pg_get_constraintdef(oid) as definition from pg_constraint
    where conrelid = ${table}::regclass and conname = ${name}`;
  assert.ok(row, `${table} has no constraint ${name}`);
  return row.definition;
}

function quoted(definition: string): string[] {
  return [...definition.matchAll(/'(\w+)'/g)].map(([_, value]) => value!);
}

/** PostgreSQL spells some types in full. */
function longName(postgresType: string): string {
  return postgresType
    .replace(/^timestamptz$/, "timestamp with time zone")
    .replace(/^char\b/, "character");
}
