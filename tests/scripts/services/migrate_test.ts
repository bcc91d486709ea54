import assert from "node:assert/strict";
import {
  migrate,
  MigrationError,
  pendingMigrations,
  readMigrations,
  ROLES,
} from "../../../scripts/services/migrate.ts";
import { tempDir, testDatabase, waitFor } from "../../harness.ts";

const names = (await readMigrations()).map(({ name }) => name);

Deno.test("migrate() twice does no harm", async () => {
  await using database = await emptyDatabase();
  assert.deepEqual(await pendingMigrations(database.url), names);
  assert.deepEqual(await migrate(database.url), { applied: names });
  assert.deepEqual(await migrate(database.url), { applied: [] });
  assert.deepEqual(await pendingMigrations(database.url), []);
});

Deno.test("migrate() ten times at once applies each file once", async () => {
  await using database = await emptyDatabase();
  const outcomes = await Promise.all(Array.from({ length: 10 }, () => migrate(database.url)));
  assert.deepEqual(outcomes.flatMap(({ applied }) => applied), names);
  const rows = await database.sql`select name from ingest.migrations order by version`;
  assert.deepEqual(rows.map(({ name }) => name), names);
});

Deno.test("migrate() of several databases of one server at once", async () => {
  await using databases = await manyDatabases(5);
  const outcomes = await Promise.all(
    databases.list.flatMap(({ url }) => [migrate(url), migrate(url)]),
  );
  assert.equal(outcomes.flatMap(({ applied }) => applied).length, 5 * names.length);
});

Deno.test("migrate() names an applied file that has changed", async () => {
  await using database = await emptyDatabase();
  await migrate(database.url);
  await using folder = await copyOfMigrations();
  await Deno.writeTextFile(new URL(names[1]!, folder.url), "-- changed\n", { append: true });
  const migrating = migrate(database.url, { directory: folder.url });
  await assert.rejects(migrating, (error) => {
    assert.ok(error instanceof MigrationError);
    assert.match(
      error.message,
      new RegExp(`^Cannot migrate: ${names[1]} was applied and has changed`),
    );
    return true;
  });
});

Deno.test("migrate() names an applied file that is missing", async (t) => {
  await using database = await emptyDatabase();
  await migrate(database.url);
  for (const missing of [names[0]!, names[2]!]) {
    await t.step(missing, async () => {
      await using folder = await copyOfMigrations();
      await Deno.remove(new URL(missing, folder.url));
      const migrating = migrate(database.url, { directory: folder.url });
      await assert.rejects(migrating, (error) => {
        assert.ok(error instanceof MigrationError);
        assert.match(error.message, new RegExp(missing));
        return true;
      });
    });
  }
});

Deno.test("migrate() refuses a database that is newer, naming what it has", async () => {
  await using database = await emptyDatabase();
  await migrate(database.url);
  await using folder = await copyOfMigrations();
  const last = names.at(-1)!;
  await Deno.remove(new URL(last, folder.url));
  const migrating = migrate(database.url, { directory: folder.url });
  await assert.rejects(
    migrating,
    new RegExp(`the database has ${last}, which this version does not know`),
  );
});

Deno.test("readMigrations() refuses a gap and a number used twice", async () => {
  await using folder = await copyOfMigrations();
  await Deno.writeTextFile(new URL("0099_later.sql", folder.url), "");
  await assert.rejects(readMigrations(folder.url), /expected number \d+ but found 0099_later\.sql/);
  await Deno.remove(new URL("0099_later.sql", folder.url));
  await Deno.writeTextFile(new URL("0001_twin.sql", folder.url), "");
  await assert.rejects(readMigrations(folder.url), /expected number 2 but found 0001_\w+\.sql/);
});

Deno.test("migrate() leaves nothing of a file that fails, and goes on from there", async () => {
  await using database = await emptyDatabase();
  await using folder = await copyOfMigrations();
  const next = new URL(`${String(names.length + 1).padStart(4, "0")}_next.sql`, folder.url);
  await Deno.writeTextFile(next, "create table shop.half (); select 1 / 0;");
  await assert.rejects(
    migrate(database.url, { directory: folder.url }),
    /_next\.sql: division by zero/,
  );
  const [half] = await database.sql`select to_regclass('shop.half') as half`;
  assert.equal(half?.half, null);
  await Deno.writeTextFile(next, "create table shop.half ();");
  const { applied } = await migrate(database.url, { directory: folder.url });
  assert.equal(applied.length, 1);
});

Deno.test("migrate() waits for a table that somebody reads, and lets others pass meanwhile", async () => {
  await using database = await testDatabase();
  await using folder = await copyOfMigrations();
  const next = `${String(names.length + 1).padStart(4, "0")}_next.sql`;
  await Deno.writeTextFile(
    new URL(next, folder.url),
    "alter table shop.events add column note text;",
  );
  const { sql } = database;
  const [reading, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const reader = sql.begin(async (tx) => {
    await tx`select from shop.events limit 1`;
    reading.resolve();
    await released.promise;
  });
  await reading.promise;
  const migrating = migrate(database.url, { directory: folder.url });
  await waitFor(async () => {
    const waiting = await sql`
      select from pg_locks where not granted and relation = 'shop.events'::regclass`;
    return waiting.length > 0;
  }, { what: "the migration to wait for the table" });
  await sql`select from shop.events limit 1`;
  released.resolve();
  await reader;
  assert.deepEqual(await migrating, { applied: [next] });
});

Deno.test("migrate() makes one row of the groups that loads had copied into a base of a rollup", async () => {
  await using database = await emptyDatabase();
  await using folder = await copyOfMigrations();
  const later = names.filter((name) => name >= "0044");
  for (const name of later) await Deno.remove(new URL(name, folder.url));
  await migrate(database.url, { directory: folder.url });
  const { sql } = database;
  await sql`
    insert into shop.minute_rollup_base
    values ('2026-01-05 12:00+00', 'purchase', 'a', 'mobile', 'EUR', 1, 2, 3.50),
           ('2026-01-05 12:00+00', 'purchase', 'a', 'mobile', 'EUR', 2, 3, 0.25),
           ('2026-01-05 12:00+00', 'purchase', 'b', 'mobile', 'EUR', 4, 4, 4.00),
           ('2026-01-05 12:01+00', 'purchase', 'a', 'mobile', 'EUR', 5, 5, 5.00),
           ('2026-01-05 12:01+00', 'purchase', 'a', 'mobile', 'EUR', -5, -5, -5.00)`;
  await sql`
    insert into shop.product_rollup_base
    values ('2026-01-05 12:00+00', 'P-1', 'EUR', 1, 2, 3, 4, 5, 6.50),
           ('2026-01-05 12:00+00', 'P-1', 'EUR', 1, 0, 0, 1, 1, 0.25),
           ('2026-01-05 12:00+00', 'P-2', 'EUR', 1, 1, 1, 1, 1, 1.00),
           ('2026-01-05 13:00+00', 'P-1', 'EUR', 1, 1, 1, 1, 1, 1.00),
           ('2026-01-05 13:00+00', 'P-1', 'EUR', -1, -1, -1, -1, -1, -1.00)`;
  assert.deepEqual(await migrate(database.url), { applied: later });
  const minutes = await sql`
    select category, events::int, quantity::int, revenue::text from shop.minute_rollup_base order by 1`;
  assert.deepEqual(minutes.map((row) => Object.values(row)), [["a", 3, 5, "3.75"], [
    "b",
    4,
    4,
    "4.00",
  ]]);
  const products = await sql`
    select product_id, views::int, carts::int, removals::int, purchases::int, quantity::int, revenue::text
    from shop.product_rollup_base order by 1`;
  assert.deepEqual(products.map((row) => Object.values(row)), [
    ["P-1", 2, 2, 3, 5, 6, "6.75"],
    ["P-2", 1, 1, 1, 1, 1, "1.00"],
  ]);
});

Deno.test("migrate() makes group roles that nobody can log in as", async () => {
  await using database = await testDatabase();
  const roles = await database.sql`
    select rolname, rolcanlogin, rolsuper, rolcreaterole, rolcreatedb, rolbypassrls
    from pg_roles where rolname = any(${[...ROLES]})`;
  assert.equal(roles.length, ROLES.length);
  for (const { rolname: _, ...rights } of roles) {
    assert.deepEqual(rights, {
      rolcanlogin: false,
      rolsuper: false,
      rolcreaterole: false,
      rolcreatedb: false,
      rolbypassrls: false,
    });
  }
});

Deno.test("migrate() works for the owner of a database who may create roles, as on managed servers", async () => {
  await using database = await emptyDatabase();
  const login = `login_${crypto.randomUUID().replaceAll("-", "")}`;
  await database.sql.unsafe(`create role ${login} login createrole password 'x'`);
  try {
    // On a server where the roles exist, their maker has handed them on.
    await migrate(database.url);
    await database.sql.unsafe(`
      drop schema ingest, shop cascade;
      grant ${ROLES.join(", ")} to ${login} with admin option;
      alter database ${database.name} owner to ${login}`);
    const url = new URL(database.url);
    url.username = login;
    url.password = "x";
    assert.deepEqual(await migrate(url.href), { applied: names });
    assert.deepEqual(await migrate(url.href), { applied: [] });
    const owners = await database.sql`
      select distinct pg_get_userbyid(relowner) as owner from pg_class
      where relnamespace in ('ingest'::regnamespace, 'shop'::regnamespace)`;
    assert.deepEqual(owners.map(({ owner }) => owner), ["clickledger_owner"]);
  } finally {
    await database.sql.unsafe(`
      alter database ${database.name} owner to postgres;
      drop owned by ${login};
      drop role ${login}`);
  }
});

Deno.test("sql/ fixes the search path of every function that runs as its owner", async () => {
  await using database = await testDatabase();
  const functions = await database.sql`
    select p.oid::regprocedure::text as function, p.proconfig as settings
    from pg_proc p
    where p.pronamespace in ('ingest'::regnamespace, 'shop'::regnamespace) and p.prosecdef`;
  assert.ok(functions.length >= 5);
  for (const { function: name, settings } of functions) {
    const paths = (settings as string[] ?? []).filter((setting) =>
      setting.startsWith("search_path=")
    );
    assert.deepEqual(paths, ["search_path=pg_catalog, pg_temp"], name);
  }
});

Deno.test("sql/ comments every schema, table, view, column and function", async () => {
  await using database = await testDatabase();
  const uncommented = await database.sql`
    with ours as (
      select oid, nspname from pg_namespace where nspname in ('ingest', 'shop')
    )
    select 'schema ' || o.nspname as object from ours o
    where obj_description(o.oid, 'pg_namespace') is null
    union all
    select 'relation ' || c.oid::regclass from pg_class c join ours o on o.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'v', 'm') and obj_description(c.oid, 'pg_class') is null
    union all
    select 'column ' || c.oid::regclass || '.' || a.attname
    from pg_class c join ours o on o.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
    where c.relkind in ('r', 'p', 'v', 'm') and not c.relispartition and a.attnum > 0
      and not a.attisdropped and col_description(c.oid, a.attnum) is null
    union all
    select 'function ' || p.oid::regprocedure from pg_proc p join ours o on o.oid = p.pronamespace
    where obj_description(p.oid, 'pg_proc') is null`;
  assert.deepEqual(uncommented.map(({ object }) => object), []);
});

/** A database of the test server that nothing was applied to. */
async function emptyDatabase() {
  const database = await testDatabase();
  await database.sql`drop schema ingest, shop cascade`.simple();
  const name = new URL(database.url).pathname.slice(1);
  return {
    url: database.url,
    sql: database.sql,
    name,
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

async function manyDatabases(count: number) {
  const stack = new AsyncDisposableStack();
  const list = [];
  for (let i = 0; i < count; i++) list.push(stack.use(await emptyDatabase()));
  return { list, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

async function copyOfMigrations() {
  const folder = await tempDir();
  const url = new URL(`file://${folder.path}/`);
  for (const { name, text } of await readMigrations()) {
    await Deno.writeTextFile(new URL(name, url), text);
  }
  return { url, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}
