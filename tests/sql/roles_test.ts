import assert from "node:assert/strict";
import { openDatabase, type Role, type Sql } from "../../activities/database.ts";
import { csv, event, events } from "../activities/_events.ts";
import { ingest } from "../activities/_ingest.ts";
import { type Warehouse, warehouse } from "../activities/_warehouse.ts";

const TABLES = [
  "ingest.migrations",
  "ingest.horizon",
  "ingest.files",
  "ingest.chunks",
  "ingest.event_keys",
  "ingest.duplicates",
  "ingest.rejects",
  "ingest.verifications",
  "ingest.manifests",
  "shop.events",
  "shop.events_2026_01",
  "shop.minute_rollup_base",
  "shop.minute_rollup_bulk",
  "shop.minute_rollup_delta",
  "shop.product_rollup_base",
  "shop.product_rollup_bulk",
  "shop.product_rollup_delta",
  "shop.products",
  "shop.rollup_copies",
];

/** Partitions are read through their parent. */
const READABLE = Object.fromEntries(
  TABLES.filter((name) => name !== "shop.events_2026_01").map((name) => [name, ["select"]]),
);

const QUESTIONS = [
  "bins(now() - interval '1 day', now(), '1 hour', 'UTC')",
  "bin_of(now(), '1 hour', 'UTC')",
  "bought_together()",
  "brand_performance()",
  "cart_abandonment()",
  "carts()",
  "category_performance()",
  "conversion_rate()",
  "customer_value()",
  "event_funnel()",
  "freshness()",
  "hour_by_weekday()",
  "new_and_returning()",
  "order_values()",
  "orders()",
  "product_sales()",
  "rate_anomalies()",
  "revenue_by()",
  "revenue_trend()",
  "session_funnel()",
  "session_statistics()",
  "sessions()",
  "top_products()",
  "viewed_but_not_bought()",
  "weekly_cohorts()",
];

const LACKS_RIGHT = { code: "42501" };

Deno.test("roles: the lists of this file name every table", async () => {
  await using house = await filled();
  const rows = await house.admin`
    select oid::regclass::text as name from pg_class
    where relnamespace in ('ingest'::regnamespace, 'shop'::regnamespace) and relkind in ('r', 'p')
      and oid::regclass::text <> 'shop.events_before_2020_01'`;
  assert.deepEqual(rows.map(({ name }) => name).toSorted(), TABLES.toSorted());
});

for (const role of ["ingest", "reader", "operator"] as const) {
  Deno.test(`roles: ${role} cannot change the schema or empty a table`, async (t) => {
    await using house = await filled();
    await using sql = as(house, role);
    for (const table of TABLES) {
      await t.step(table, async () => {
        for (
          const statement of [
            `drop table ${table}`,
            `truncate ${table}`,
            `alter table ${table} add column more integer`,
            `create index on ${table} ((1))`,
            `create trigger t before insert on ${table} execute function tsvector_update_trigger()`,
          ]
        ) await assert.rejects(sql.pool.unsafe(statement), LACKS_RIGHT, statement);
      });
    }
    for (
      const statement of [
        "create table ingest.mine ()",
        "create table shop.mine ()",
        "create function shop.mine() returns void language sql as 'select'",
        "drop schema shop cascade",
        "drop function ingest.verify",
        "alter function shop.ensure_month security invoker",
      ]
    ) await assert.rejects(sql.pool.unsafe(statement), LACKS_RIGHT, statement);
  });
}

Deno.test("roles: ingest reads and writes what loading needs, and nothing else", async (t) => {
  await using house = await filled();
  await using sql = as(house, "ingest");
  await expectRights(t, sql.pool, {
    "ingest.files": ["select", "insert", "update"],
    "ingest.chunks": ["select", "insert", "update"],
    "ingest.event_keys": ["select", "insert", "update", "delete"],
    "ingest.duplicates": ["select", "insert", "delete"],
    "ingest.rejects": ["select", "insert", "update"],
    "ingest.manifests": ["select", "insert"],
    "shop.events": ["select", "insert", "update", "delete"],
    "shop.minute_rollup_bulk": ["insert"],
    "shop.minute_rollup_delta": ["insert"],
    "shop.product_rollup_bulk": ["insert"],
    "shop.product_rollup_delta": ["insert"],
    "shop.products": ["select", "insert", "update"],
    "shop.rollup_copies": ["select", "insert"],
  });
});

Deno.test("roles: reader reads everything but raw bytes of rejects, and writes nothing", async (t) => {
  await using house = await filled();
  await using sql = as(house, "reader");
  await expectRights(t, sql.pool, READABLE);
  const columns = await house.admin<{ name: string }[]>`
    select attname as name from pg_attribute
    where attrelid = 'ingest.rejects'::regclass and attnum > 0 and not attisdropped`;
  for (const { name } of columns) {
    const query = sql.pool`select ${sql.pool(name)} from ingest.rejects`;
    if (["raw", "corrected"].includes(name)) await assert.rejects(query, LACKS_RIGHT, name);
    else assert.equal((await query).length, 1, name);
  }
  await assert.rejects(sql.pool`select * from ingest.rejects`, LACKS_RIGHT);
});

Deno.test("roles: operator reads raw bytes of rejects as well, and writes nothing", async (t) => {
  await using house = await filled();
  await using sql = as(house, "operator");
  await expectRights(t, sql.pool, READABLE);
  const [reject] = await sql.pool`select octet_length(raw) as bytes from ingest.rejects`;
  assert.ok(reject?.bytes > 0);
});

Deno.test("roles: functions run for those who need them", async (t) => {
  await using house = await filled();
  const allowed: Record<string, readonly Role[]> = {
    "ingest.lock_horizon('shop_events')": ["ingest"],
    "shop.ensure_month('2026-01-01')": ["ingest"],
    "shop.fold_rollups()": ["ingest"],
    "shop.count_deltas()": ["ingest"],
    "shop.summarize_copies()": ["ingest"],
    "ingest.schema_version()": ["ingest", "reader", "operator"],
    "ingest.verify()": ["ingest", "reader", "operator"],
    "ingest.record_verification()": ["ingest", "reader", "operator"],
    "count(*) from ingest.completeness()": ["reader", "operator"],
    "ingest.waive_rejects('{}', 'none')": ["operator"],
    "ingest.correct_reject(0, '')": ["operator"],
  };
  // The questions of analysts, with the defaults of their parameters.
  for (const name of QUESTIONS) allowed[`count(*) from shop.${name}`] = ["reader", "operator"];
  const procedures = await house.admin<{ name: string }[]>`
    select pronamespace::regnamespace || '.' || proname as name from pg_proc
    where pronamespace in ('ingest'::regnamespace, 'shop'::regnamespace)`;
  const listed = Object.keys(allowed).map((call) => /\w+\.\w+(?=\()/.exec(call)?.[0]);
  // Only the owner may drop months.
  listed.push("shop.drop_events_before");
  assert.deepEqual(procedures.map(({ name }) => name).toSorted(), listed.toSorted());
  for (const role of ["ingest", "reader", "operator"] as const) {
    await using sql = as(house, role);
    for (const [call, roles] of Object.entries(allowed)) {
      await t.step(`${role}: ${call}`, async () => {
        const calling = sql.pool.unsafe(`select ${call}`);
        if (roles.includes(role)) await calling;
        else await assert.rejects(calling, LACKS_RIGHT);
      });
    }
  }
});

for (const role of ["ingest", "reader", "operator"] as const) {
  Deno.test(`roles: ${role} cannot drop months`, async () => {
    await using house = await filled();
    await using sql = as(house, role);
    await assert.rejects(
      sql.pool`call shop.drop_events_before('2026-01-01')`.execute(),
      LACKS_RIGHT,
    );
  });
}

Deno.test("roles: the public can call no function, of later migrations either", async () => {
  await using house = await filled();
  await house.admin.begin(async (tx) => {
    await tx`set local role clickledger_owner`;
    await tx.unsafe("create function shop.later() returns void language sql as 'select'");
  });
  const open = await house.admin`
    select p.oid::regprocedure::text as function
    from pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
    where p.pronamespace in ('ingest'::regnamespace, 'shop'::regnamespace) and a.grantee = 0`;
  assert.deepEqual(open.map(({ function: name }) => name), []);
});

type Right = "select" | "insert" | "update" | "delete";

/** Asks for every right on every table, and compares with what the role shall have. */
async function expectRights(t: Deno.TestContext, sql: Sql, expected: Record<string, string[]>) {
  for (const table of TABLES) {
    await t.step(table, async () => {
      for (const right of ["select", "insert", "update", "delete"] as const) {
        const trying = tryRight(sql, table, right);
        if (expected[table]?.includes(right)) await trying;
        else await assert.rejects(trying, LACKS_RIGHT, `${right} on ${table}`);
      }
    });
  }
}

/** Does nothing to the data: what matters is whether the statement is allowed. */
async function tryRight(sql: Sql, table: string, right: Right): Promise<void> {
  const [schema = "", name = ""] = table.split(".");
  const columns = await sql<{ attname: string }[]>`
    select attname from pg_attribute
    where attrelid = ${`${schema}.${name}`}::text::regclass and attnum > 0 and attidentity = ''
    order by attnum`;
  const column = columns[0]!.attname;
  await sql.unsafe(
    {
      select: `select ${column} from ${table} limit 1`,
      insert: `insert into ${table} (${column}) select null where false`,
      update: `update ${table} set ${column} = null where false`,
      delete: `delete from ${table} where false`,
    }[right],
  );
}

function as(house: Warehouse, role: Role) {
  const pool = openDatabase(house.url, role, { max: 1 });
  return { pool, [Symbol.asyncDispose]: () => pool.end({ timeout: 1 }) };
}

async function filled(): Promise<Warehouse> {
  const house = await warehouse();
  const rows = [...events(0, 5), event(6, { price: "x" }), event(1)];
  await ingest(house, await house.land("a.csv", csv(rows)));
  return house;
}
