import assert from "node:assert/strict";
import { migrate, readMigrations } from "../../scripts/services/migrate.ts";
import { tempDir, testDatabase, waitFor } from "../harness.ts";
import { type FaultPipeline, faultPipeline } from "./_fault_pipeline.ts";
import { assertPlanted, plantFiles } from "./_planted_files.ts";

const FILES = 8;
const ROWS = 1_000;
const chunkBytes = 16 * 1024;

/** What a later version may bring; the first takes its locks against the order in which chunks do. */
const LATER = [
  `alter table shop.events add column note_of_test text;
   select pg_sleep(0.3);
   alter table ingest.event_keys add column note_of_test text;
   alter table ingest.files add column note_of_test text;`,
  `do $$ declare statement text; begin
     for statement in
       select pg_get_functiondef(oid) from pg_proc
       where pronamespace in ('ingest'::regnamespace, 'shop'::regnamespace)
       union all
       select format('create or replace view %s as %s', oid::regclass, pg_get_viewdef(oid))
       from pg_class
       where relkind = 'v' and relnamespace in ('ingest'::regnamespace, 'shop'::regnamespace)
     loop execute statement; end loop;
   end $$;`,
  `create index events_of_test on shop.events (user_id);
   select pg_sleep(0.3);
   alter table ingest.chunks alter column worker set default 'of a test';`,
  `drop index shop.events_of_test;
   alter table shop.events drop column note_of_test;
   select pg_sleep(0.3);
   alter table ingest.files drop column note_of_test;`,
];

Deno.test("Schema migrated while files load → no deadlock, each file loads once", async () => {
  await using pipeline = await faultPipeline({ chunkBytes });
  await using versions = await migrations({ more: LATER });
  const schemaVersion = versions.count;
  const planted = await plantFiles(pipeline.inbox, { files: FILES, rows: ROWS, seed: 12 });
  await pipeline.runWorker({}, { schemaVersion });
  await pipeline.runWorker({}, { schemaVersion });
  const loading = planted.names.map(async (name, index) => {
    await (await pipeline.ingest(name, { shortWay: index % 2 === 0 })).result();
  });
  const migrating = (async () => {
    await waitFor(() => hasCommitted(pipeline), { what: "a chunk to be committed" });
    const { directory } = versions;
    const { applied } = await migrate(pipeline.databaseUrl, { directory });
    assert.equal(applied.length, LATER.length);
    assert.deepEqual(await migrate(pipeline.databaseUrl, { directory }), { applied: [] });
  })();
  await Promise.all([...loading, migrating]);
  await assertPlanted(pipeline, planted);
  const [server] = await pipeline.sql`
    select deadlocks::integer from pg_stat_database where datname = current_database()`;
  assert.deepEqual({ ...server }, { deadlocks: 0 });
});

Deno.test("Schema of an older version brought up while files wait for it → each file loads once", async () => {
  await using database = await testDatabase();
  await database.sql`drop schema ingest, shop cascade`.simple();
  await using older = await migrations({ fewer: 1 });
  await migrate(database.url, { directory: older.directory });
  await using pipeline = await faultPipeline({ chunkBytes, database });
  const planted = await plantFiles(pipeline.inbox, { files: FILES, rows: ROWS, seed: 13 });
  await pipeline.runWorker();
  const handles = await Promise.all(planted.names.map((name) => pipeline.ingest(name)));
  const { applied } = await migrate(database.url);
  assert.equal(applied.length, 1);
  await Promise.all(handles.map((handle) => handle.result()));
  await assertPlanted(pipeline, planted);
});

async function hasCommitted({ sql }: FaultPipeline): Promise<boolean> {
  const found = await sql`select from ingest.chunks where committed_at is not null limit 1`;
  return found.length > 0;
}

/** A directory with the migrations of this version, some of the last ones left out or others behind them. */
async function migrations({ fewer = 0, more = [] }: { fewer?: number; more?: string[] }) {
  const folder = await tempDir();
  const directory = new URL(`file://${folder.path}/`);
  const known = await readMigrations();
  const later = more.map((text, index) => ({
    name: `${String(known.length + index + 1).padStart(4, "0")}_later.sql`,
    text,
  }));
  const files = [...known.slice(0, known.length - fewer), ...later];
  for (const { name, text } of files) await Deno.writeTextFile(new URL(name, directory), text);
  return {
    directory,
    count: files.length,
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}
