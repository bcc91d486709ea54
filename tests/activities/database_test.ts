import assert from "node:assert/strict";
import { open } from "node:fs/promises";
import { ApplicationFailure } from "@temporalio/common";
import {
  DEFAULT_LIMITS,
  openDatabase,
  type Sql,
  toSafeFailure,
  withSafeErrors,
} from "../../activities/database.ts";
import { testDatabase } from "../harness.ts";
import { tcpProxy } from "./_tcp_proxy.ts";

const SECRET = "pl4nted-s3cret";

Deno.test("openDatabase() sets role and limits before the first statement", async () => {
  await using database = await testDatabase();
  await using sql = await pool(database.url);
  const [row] = await sql.pool`
    select current_user as role, current_setting('idle_in_transaction_session_timeout') as idle,
           current_setting('transaction_timeout') as transaction,
           current_setting('lock_timeout') as lock, current_setting('timezone') as zone`;
  assert.deepEqual({ ...row }, {
    role: "clickledger_ingest",
    idle: "5s",
    transaction: "1min",
    lock: "10s",
    zone: "UTC",
  });
});

Deno.test("openDatabase() ends a transaction that idles", async () => {
  await using database = await testDatabase();
  await using sql = await pool(database.url, { idleInTransactionTimeoutMs: 200 });
  const idling = sql.pool.begin(async (tx) => {
    await tx`select 1`;
    await new Promise((resolve) => setTimeout(resolve, 600));
    await tx`select 2`;
  });
  await assert.rejects(idling);
  const [row] = await sql.pool`select 3 as answer`;
  assert.equal(row?.answer, 3);
});

Deno.test("openDatabase() ends a transaction that takes too long", async () => {
  await using database = await testDatabase();
  await using sql = await pool(database.url, { transactionTimeoutMs: 200 });
  const sleeping = sql.pool.begin((tx) => tx`select pg_sleep(60)`);
  await assert.rejects(withSafeErrors(() => sleeping), ApplicationFailure);
});

Deno.test("openDatabase() waits for a lock only so long", async () => {
  await using database = await testDatabase();
  await using sql = await pool(database.url, { lockTimeoutMs: 200 });
  await database.sql.begin(async (tx) => {
    await tx`lock table ingest.files`;
    await assert.rejects(sql.pool`select from ingest.files for update`, { code: "55P03" });
  });
});

Deno.test("openDatabase() settles a query whose answer never comes", async () => {
  await using database = await testDatabase();
  await using proxy = await tcpProxy(database.url);
  await using sql = await pool(proxy.url, { statementDeadlineMs: 300 });
  await sql.pool`select 1`;
  proxy.swallow();
  await assert.rejects(withSafeErrors(() => sql.pool`select 2`), { type: "DatabaseUnavailable" });
  await assert.rejects(withSafeErrors(() => sql.pool`select 3`), { type: "DatabaseUnavailable" });
  proxy.pass();
  assert.equal((await sql.pool`select 4`).length, 1);
});

Deno.test("openDatabase() gives up a connection that is taken and never answered", async () => {
  await using database = await testDatabase();
  await using proxy = await tcpProxy(database.url);
  await using sql = await pool(proxy.url, { connectDeadlineMs: 300, statementDeadlineMs: 3_000 });
  proxy.swallow();
  await assert.rejects(withSafeErrors(() => sql.pool`select 1`), {
    type: "DatabaseUnavailable",
    message: /CONNECT_TIMEOUT/,
  });
  proxy.pass();
  assert.equal((await sql.pool`select 2`).length, 1);
});

Deno.test("openDatabase() survives connections cut within transactions", async () => {
  await using database = await testDatabase();
  await using proxy = await tcpProxy(database.url);
  await using sql = await pool(proxy.url, {}, 1);
  // The second round finds out whether the first left anything behind in the connection.
  for (let round = 0; round < 4; round++) {
    const cut = sql.pool.begin(async (tx) => {
      const sleeping = tx`select pg_sleep(10)`.execute();
      if (round % 2 === 0) setTimeout(() => proxy.cut(), 20);
      else proxy.cut();
      await sleeping;
    });
    await assert.rejects(withSafeErrors(() => cut), { type: "DatabaseUnavailable" });
    assert.equal((await sql.pool`select 1`).length, 1);
  }
});

Deno.test("openDatabase() outlives more refused connections than it may open", async () => {
  await using database = await testDatabase();
  await using proxy = await tcpProxy(database.url);
  await using sql = await pool(proxy.url, {}, 2);
  await proxy.refuse();
  for (let attempt = 0; attempt < 5; attempt++) {
    await assert.rejects(withSafeErrors(() => sql.pool`select 1`), { type: "DatabaseUnavailable" });
  }
  await proxy.listen();
  assert.equal((await sql.pool`select 1`).length, 1);
});

Deno.test("withSafeErrors() keeps values out of failures", async (t) => {
  await using database = await testDatabase();
  await using sql = await pool(database.url);
  await database.sql`
    insert into ingest.event_keys (event_id, event_time, file_id, content_hash, line_number)
    values ('00000000-0000-4000-8000-000000000001', now(), 1, 1, 1)`;
  const provocations: Record<string, (sql: Sql) => Promise<unknown>> = {
    "22P02": (sql) => sql`select ${SECRET}::text::uuid`,
    "22007": (sql) => sql`select ${SECRET}::text::timestamptz`,
    "23514": (sql) =>
      sql`
      insert into ingest.files (feed, contract_version, inbox_id, path, file_name, ino, size_bytes,
        mtime_ms, ctime_ms, workflow_id, discovered_at, state)
      values ('shop_events', 1, gen_random_uuid(), ${SECRET}, ${SECRET}, 1, 1, 1, 1, 'w', now(), ${SECRET})`,
    "23503": (sql) =>
      sql`
      insert into ingest.files (feed, contract_version, inbox_id, path, file_name, ino, size_bytes,
        mtime_ms, ctime_ms, workflow_id, discovered_at)
      values (${SECRET}, 1, gen_random_uuid(), '', '', 1, 1, 1, 1, 'w', now())`,
    "23502": (sql) =>
      sql`
      insert into ingest.duplicates (file_id, line_number, event_id) values (1, null, gen_random_uuid())`,
    "23505": (sql) =>
      sql`
      insert into ingest.event_keys (event_id, event_time, file_id, content_hash, line_number)
      values ('00000000-0000-4000-8000-000000000001', now(), 1, 1, 1)`,
    "42P01": (sql) => sql`select from ingest.${sql(SECRET)}`,
  };
  for (const [sqlstate, provoke] of Object.entries(provocations)) {
    await t.step(sqlstate, async () => {
      const failure = await withSafeErrors(() => provoke(sql.pool)).catch((error) => error);
      assert.ok(failure instanceof ApplicationFailure);
      assert.equal((failure.details?.[0] as { sqlstate: string }).sqlstate, sqlstate);
      const told = [failure.message, failure.stack, failure.cause, JSON.stringify(failure)].join();
      assert.ok(!told.includes(SECRET) && !told.includes("00000000-0000-4000"), told);
    });
  }
});

Deno.test("withSafeErrors() says which refusals of PostgreSQL do not mend themselves", async (t) => {
  await using database = await testDatabase();
  await using sql = await pool(database.url);
  const refusals: Record<string, { lasts: boolean; provoke: (sql: Sql) => Promise<unknown> }> = {
    "22003": { lasts: true, provoke: (sql) => sql`select 3000000000::bigint::integer` },
    "22P02": { lasts: true, provoke: (sql) => sql`select 'x'::text::uuid` },
    "23502": {
      lasts: true,
      provoke: (sql) =>
        sql`
        insert into ingest.duplicates (file_id, line_number, event_id) values (1, null, gen_random_uuid())`,
    },
    "23505": {
      lasts: false,
      provoke: (sql) =>
        sql`
        insert into ingest.event_keys (event_id, event_time, file_id, content_hash, line_number)
        select '00000000-0000-4000-8000-000000000001', now(), 1, 1, n from generate_series(1, 2) n`,
    },
    "23514": {
      lasts: false,
      provoke: (sql) =>
        sql`
        insert into ingest.chunks (file_id, chunk_no, byte_start, byte_end, first_line, checksum, records)
        values (1, 0, 1, 1, 1, '', 0)`,
    },
  };
  for (const [sqlstate, { lasts, provoke }] of Object.entries(refusals)) {
    await t.step(sqlstate, async () => {
      const failure = await withSafeErrors(() => provoke(sql.pool)).catch((error) => error);
      assert.ok(failure instanceof ApplicationFailure);
      assert.ok(failure.message.includes(`SQLSTATE ${sqlstate}`), failure.message);
      assert.equal(/does not mend itself.*deno task/.test(failure.message), lasts, failure.message);
      assert.equal(/It is tried again/.test(failure.message), !lasts, failure.message);
      assert.equal(failure.nonRetryable, false);
    });
  }
});

Deno.test({
  name: "toSafeFailure() tells a full disk from a database that is away",
  // The device that is always full.
  ignore: Deno.build.os !== "linux",
  async fn() {
    const handle = await open("/dev/full", "w");
    const error = await handle.writeFile(new Uint8Array(10)).catch((error) => error);
    await handle.close();
    const failure = toSafeFailure(error);
    assert.ok(failure instanceof ApplicationFailure, String(failure));
    assert.equal(failure.type, "DiskError");
    assert.equal(failure.nonRetryable, false);
    assert.match(failure.message, /^Cannot write to the disk: ENOSPC\. No space is left/);
  },
});

Deno.test("toSafeFailure() knows the errors of the network, and lets others pass", () => {
  const away = ["ECONNREFUSED", "ECONNRESET", "EPIPE", "ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH"];
  for (const code of [...away, "ENOTFOUND", "EAI_AGAIN", "CONNECTION_CLOSED", "CONNECT_TIMEOUT"]) {
    const failure = toSafeFailure(errorWith({ code }));
    assert.ok(failure instanceof ApplicationFailure, code);
    assert.equal(failure.type, "DatabaseUnavailable");
  }
  const socket = toSafeFailure(errorWith({ code: "ENOENT", syscall: "connect" }));
  assert.equal((socket as ApplicationFailure).type, "DatabaseUnavailable");
  for (const code of ["EBADF", "EMFILE", "EINVAL", "ENOENT"]) {
    const error = errorWith({ code });
    assert.equal(toSafeFailure(error), error);
  }
  const named = errorWith({ code: "ENOSPC", path: "/somewhere" });
  assert.equal(toSafeFailure(named), named);
});

function errorWith(fields: Record<string, string>): Error {
  return Object.assign(new Error("as the system throws it"), fields);
}

Deno.test("withSafeErrors() keeps the connection string out of failures", async () => {
  const url = `postgres://someone:${SECRET}@127.0.0.1:1/nowhere`;
  await using sql = await pool(url);
  const failure = await withSafeErrors(() => sql.pool`select 1`).catch((error) => error);
  assert.ok(failure instanceof ApplicationFailure);
  assert.equal(failure.type, "DatabaseUnavailable");
  assert.ok(![failure.message, failure.stack, JSON.stringify(failure)].join().includes(SECRET));
});

function pool(url: string, limits: Partial<typeof DEFAULT_LIMITS> = {}, max = 2) {
  const pool = openDatabase(url, "ingest", { max, limits: { ...DEFAULT_LIMITS, ...limits } });
  return Promise.resolve({
    pool,
    [Symbol.asyncDispose]: () => pool.end({ timeout: 0 }),
  });
}
