import assert from "node:assert/strict";
import { projectPath, testDatabase } from "../harness.ts";
import { describeSchema } from "./_describe_schema.ts";

Deno.test("every object of the schema has a comment", async () => {
  await using database = await testDatabase();
  const bare = await database.sql<{ name: string }[]>`
    with relations as (
      select c.oid, c.relkind, c.oid::regclass::text as name
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname in ('ingest', 'shop') and not c.relispartition
    )
    select format('schema %s', nspname) as name from pg_namespace
    where nspname in ('ingest', 'shop') and obj_description(oid, 'pg_namespace') is null
    union all
    select r.name from relations r
    where r.relkind in ('r', 'p', 'v', 'm') and obj_description(r.oid, 'pg_class') is null
    union all
    select format('index %s', r.name) from relations r
    where r.relkind in ('i', 'I') and obj_description(r.oid, 'pg_class') is null
    union all
    select format('%s.%s', r.name, a.attname)
    from relations r join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
    where r.relkind in ('r', 'p', 'v', 'm') and col_description(r.oid, a.attnum) is null
    union all
    select p.oid::regprocedure::text from pg_proc p
    where p.pronamespace in ('ingest'::regnamespace, 'shop'::regnamespace)
      and obj_description(p.oid, 'pg_proc') is null
    union all
    select t.oid::regtype::text from pg_type t
    where t.typnamespace in ('ingest'::regnamespace, 'shop'::regnamespace) and t.typtype = 'e'
      and obj_description(t.oid, 'pg_type') is null`;
  assert.deepEqual(bare.map(({ name }) => name), []);
});

Deno.test("comments of questions end with their grain", async () => {
  await using database = await testDatabase();
  const functions = await database.sql<{ name: string; comment: string }[]>`
    select p.proname as name, obj_description(p.oid, 'pg_proc') as comment from pg_proc p
    where p.pronamespace = 'shop'::regnamespace and p.proretset`;
  assert.ok(functions.length > 20);
  for (const { name, comment } of functions) assert.match(comment, /One row[^.]*\.$/, name);
});

Deno.test("the schema is the one of tests/schema.snapshot.sql", async () => {
  await using database = await testDatabase();
  const [expected, found] = [
    await Deno.readTextFile(projectPath("tests", "schema.snapshot.sql")),
    await describeSchema(database.sql),
  ];
  assert.equal(
    found,
    expected,
    "The schema has changed: run `deno run -A tests/sql/write_schema_snapshot.ts` and look at the difference",
  );
});
