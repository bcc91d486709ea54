import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { openDatabase, type Sql, withSafeErrors } from "../../activities/database.ts";
import { copyRows } from "../../activities/statements/copy_rows.ts";
import { inOneGo } from "../../activities/statements/in_one_go.ts";
import { testDatabase, waitFor } from "../harness.ts";
import { tcpProxy } from "./_tcp_proxy.ts";

/** A table and a pool of one connection, so that each statement meets what the one before left. */
async function setUp() {
  const disposables = new AsyncDisposableStack();
  const database = disposables.use(await testDatabase());
  await database.sql`create table shop.copied (n integer unique)`;
  await database.sql`grant select, insert on shop.copied to clickledger_ingest`;
  const proxy = disposables.use(await tcpProxy(database.url));
  const pool = openDatabase(proxy.url, "ingest", { max: 1 });
  disposables.defer(() => pool.end({ timeout: 1 }));
  return {
    admin: database.sql,
    proxy,
    pool,
    copy: (...pieces: Uint8Array[]) =>
      pool.begin((tx) => copyRows(tx, "copy shop.copied from stdin", pieces)),
    copied: async () =>
      (await pool<{ n: number }[]>`select n from shop.copied order by n`).map(({ n }) => n),
    [Symbol.asyncDispose]: () => disposables.disposeAsync(),
  };
}

const rows = (...lines: unknown[]) => Buffer.from(lines.map((line) => `${line}\n`).join(""));
const MANY = rows(...Array.from({ length: 100_000 }, (_, index) => index + 10));

Deno.test("copyRows() sends rows in pieces cut anywhere, none included", async () => {
  await using table = await setUp();
  await table.copy();
  await table.copy(Buffer.from("1\n2"), Buffer.from("3\n"));
  assert.deepEqual(await table.copied(), [1, 23]);
});

Deno.test("copyRows() sends rows of several statements before any of them is answered", async () => {
  await using table = await setUp();
  const { pool, proxy } = table;
  await pool.begin(async (tx) => {
    await tx`select 1`;
    const release = proxy.holdAnswers();
    const copies = inOneGo([
      copyRows(tx, "copy shop.copied from stdin", [rows(1), rows(2)]),
      (async () => await tx`insert into shop.copied values (3)`)(),
      copyRows(tx, "copy shop.copied from stdin", [rows(4)]),
      (async () => await tx`select array_agg(n order by ctid) as known from shop.copied`)(),
    ]);
    await waitFor(
      async () =>
        (await table.admin`
        select from pg_stat_activity where state = 'idle in transaction' and query like '%as known%'`)
          .length > 0,
      { what: "the last statement to be answered" },
    );
    release();
    const [, , , [row]] = await copies;
    assert.equal(row!.known, "{1,2,3,4}");
  });
  assert.deepEqual(await table.copied(), [1, 2, 3, 4]);
});

Deno.test("copyRows() waits to be asked for rows where the socket does not see the statement", async () => {
  await using database = await testDatabase();
  await database.sql`create table shop.copied (n integer)`;
  await (database.sql as unknown as Sql).begin(async (tx) => {
    await copyRows(tx, "copy shop.copied from stdin", [rows(1), rows(2)]);
    await copyRows(tx, "copy shop.copied from stdin", [MANY]);
  });
  const [row] = await database.sql`select count(*)::int as rows from shop.copied`;
  assert.equal(row!.rows, 100_002);
});

Deno.test("copyRows() rejects what the server refuses, and leaves the connection as it was", async (t) => {
  await using table = await setUp();
  const refused: Record<string, { sqlstate: string; pieces: Uint8Array[] }> = {
    "in its first row, with many behind it": {
      sqlstate: "22P02",
      pieces: [rows("x"), ...Array(20).fill(MANY)],
    },
    "after its last row": { sqlstate: "23505", pieces: [rows(1, 1)] },
    "after many": { sqlstate: "23505", pieces: [MANY, rows(10)] },
  };
  for (const [name, { sqlstate, pieces }] of Object.entries(refused)) {
    await t.step(name, async () => {
      await assert.rejects(table.copy(...pieces), { code: sqlstate });
      assert.deepEqual(await table.copied(), []);
    });
  }
  await t.step("before its first row", async () => {
    const nowhere = table.pool.begin((tx) =>
      copyRows(tx, "copy shop.nowhere from stdin", [rows(1)])
    );
    await assert.rejects(nowhere, { code: "42P01" });
  });
  await table.copy(rows(7));
  assert.deepEqual(await table.copied(), [7]);
});

Deno.test("copyRows() rejects when the connection goes, and the pool opens another", async (t) => {
  await using table = await setUp();
  const { admin, proxy, pool } = table;
  const waiting = async (pid: string) =>
    (await admin.unsafe(`
      select ${pid} from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`)).length > 0;
  const endings: Record<string, () => unknown> = {
    "cut": () => proxy.cut(),
    "ended by the server": () => waiting("pg_terminate_backend(pid)"),
  };
  for (const [name, end] of Object.entries(endings)) {
    await t.step(name, async () => {
      await admin.begin(async (tx) => {
        await tx`lock table shop.copied`;
        // More than the sockets hold: most of it is still to be sent.
        const copying = table.copy(...Array(20).fill(MANY));
        copying.catch(() => {});
        await waitFor(() => waiting("pid"), { what: "the COPY to wait" });
        await end();
        await assert.rejects(withSafeErrors(() => copying));
      });
      // The driver tells the next statement once more what ended the connection before.
      await pool`select 1`.catch(() => {});
      assert.deepEqual(await table.copied(), []);
    });
  }
  await table.copy(rows(7));
  assert.deepEqual(await table.copied(), [7]);
});
