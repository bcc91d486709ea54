import assert from "node:assert/strict";
import { openDatabase, withSafeErrors } from "../../activities/database.ts";
import { inOneGo } from "../../activities/statements/in_one_go.ts";
import { hasBegun, transact } from "../../activities/transact.ts";
import { testDatabase, waitFor } from "../harness.ts";
import { tcpProxy } from "./_tcp_proxy.ts";

/** A table and a pool, by default of one connection, so that each transaction meets what the one before left. */
async function setUp({ max = 1 } = {}) {
  const disposables = new AsyncDisposableStack();
  const database = disposables.use(await testDatabase());
  await database.sql`create table shop.noted (n integer unique)`;
  await database.sql`grant select, insert on shop.noted to clickledger_ingest`;
  const proxy = disposables.use(await tcpProxy(database.url));
  const pool = openDatabase(proxy.url, "ingest", { max });
  disposables.defer(() => pool.end({ timeout: 1 }));
  return {
    admin: database.sql,
    proxy,
    pool,
    noted: async () =>
      (await database.sql<{ n: number }[]>`select n from shop.noted order by n`).map(({ n }) => n),
    /** Waits until the session's last statement has this text, and it is in this state. */
    reached: (text: string, state: string) =>
      waitFor(async () => {
        const sessions = await database.sql`
          select from pg_stat_activity
          where application_name = 'clickledger ingest' and datname = current_database()
            and state = ${state} and query like ${`%${text}%`}`;
        return sessions.length > 0;
      }, { what: `${text}, ${state}` }),
    [Symbol.asyncDispose]: () => disposables.disposeAsync(),
  };
}

Deno.test("transact() sends begin with what is asked first, and commit with what is written last", async () => {
  await using table = await setUp();
  const { pool, proxy } = table;
  const twice = () =>
    transact(pool, async (tx, commit) => {
      const [row] = await tx`select txid_current_if_assigned() is null as unwritten, 1 as asked`;
      // Parts of statements, and statements without parameters, as of any transaction.
      const [found] = await tx`select ${tx`count(*)::int`} as n from shop.noted`;
      const [counts] = await inOneGo([
        (async () => await tx`insert into shop.noted values (${found!.n}) returning n`)(),
        (async () => await tx.unsafe(`insert into shop.noted values ($1)`, [found!.n + 100]))(),
        commit(),
      ]);
      return { unwritten: row!.unwritten, n: counts[0]!.n };
    });
  // The first asks the server also what parameters its statements have.
  assert.deepEqual(await twice(), { unwritten: true, n: 0 });
  const release = proxy.holdAnswers();
  const asking = twice();
  await table.reached("as asked", "idle in transaction");
  release();
  assert.deepEqual(await asking, { unwritten: true, n: 2 });
  const writing = transact(pool, async (tx, commit) => {
    await tx`select 1`;
    const release = proxy.holdAnswers();
    const work = inOneGo([(async () => await tx`insert into shop.noted values (7)`)(), commit()]);
    await table.reached("commit", "idle");
    assert.deepEqual(await table.noted(), [0, 2, 7, 100, 102], "before any answer");
    release();
    await work;
  });
  await writing;
  assert.deepEqual(await table.noted(), [0, 2, 7, 100, 102]);
});

Deno.test("transact() lets what goes along with begin write only where it has begun", async () => {
  await using table = await setUp();
  const { pool, proxy } = table;
  const note = (n: number) =>
    transact(pool, (tx) =>
      inOneGo([
        (async () => await tx`insert into shop.noted select ${n} where ${hasBegun(tx)}`)(),
        (async () => await tx.unsafe(`insert into shop.noted values (${n + 100})`))(),
      ]));
  await note(1);
  const quote = proxy.misquote("begin isolation", "begun isolation");
  await assert.rejects(note(2), { code: "42601" });
  quote();
  assert.deepEqual(await table.noted(), [1, 101, 102], "what does not ask stands by itself");
  await note(3);
  assert.deepEqual(await table.noted(), [1, 3, 101, 102, 103]);
});

Deno.test("transact() commits when the work has ended without", async () => {
  await using table = await setUp();
  const given = await transact(table.pool, async (tx) => {
    await tx`insert into shop.noted values (1)`;
    return "given";
  });
  assert.equal(given, "given");
  assert.deepEqual(await table.noted(), [1]);
});

Deno.test("transact() takes all back, tells why, and leaves the connection to the next", async (t) => {
  await using table = await setUp();
  const { pool } = table;
  type Work = Parameters<typeof transact<unknown>>[1];
  const failing: Record<string, { work: Work; error: object }> = {
    "when the work fails": {
      async work(tx) {
        await tx`insert into shop.noted values (1)`;
        throw new TypeError("of its own");
      },
      error: { name: "TypeError", message: "of its own" },
    },
    "when a statement is refused": {
      async work(tx) {
        await tx`insert into shop.noted values (1)`;
        await tx`insert into shop.noted values (1)`;
      },
      error: { code: "23505" },
    },
    "when the first one is": {
      work: async (tx) => await tx`select 1 / (select 0)`,
      error: { code: "22012" },
    },
    "when nobody minds that one was": {
      async work(tx) {
        await tx`insert into shop.noted values (1)`;
        await tx`select 1 / (select 0)`.catch(() => {});
      },
      error: { code: "22012" },
    },
    "when what is told is that another one was": {
      async work(tx) {
        await tx`select 1 / (select 0)`.catch(() => {});
        await tx`insert into shop.noted values (1)`;
      },
      error: { code: "22012" },
    },
    "when one is refused that goes with commit": {
      async work(tx, commit) {
        await tx`select 1`;
        await inOneGo([
          (async () => await tx`insert into shop.noted values (1)`)(),
          (async () => await tx`select 1 / (select 0)`)(),
          commit(),
        ]);
      },
      error: { code: "22012" },
    },
    "when one fails that was to be sent with commit": {
      async work(tx, commit) {
        await tx`select 1`;
        const deep = async () => await inOneGo([Promise.reject(new TypeError("of its own"))]);
        const last = [(async () => await tx`insert into shop.noted values (1)`)(), deep()];
        await inOneGo([...last, commit(last)]);
      },
      error: { name: "TypeError", message: "of its own" },
    },
    "when commit is told of it first": {
      async work(tx, commit) {
        await tx`select 1`;
        tx`select 1 / (select 0)`.catch(() => {});
        await commit();
      },
      error: { code: "22012" },
    },
  };
  for (const [name, { work, error }] of Object.entries(failing)) {
    await t.step(name, async () => {
      await assert.rejects(transact(pool, work), error);
      const [session] = await pool`select txid_current_if_assigned() is null as outside, 1 as n`;
      assert.deepEqual({ ...session }, { outside: true, n: 1 });
      assert.deepEqual(await table.noted(), []);
    });
  }
});

Deno.test("transact() sends no statement once more behind its commit", async () => {
  await using table = await setUp();
  const { pool } = table;
  const note = (n: number, between: string) =>
    transact(pool, async (tx, commit) => {
      await tx.unsafe(between);
      await inOneGo([(async () => await tx`insert into shop.noted values (${n})`)(), commit()]);
    });
  await note(1, "select 1");
  // Such as a pool of connections on the way does: the driver believes that the server still knows the statement.
  await assert.rejects(note(2, "deallocate all"), { code: "26000" });
  assert.deepEqual(await table.noted(), [1]);
  await note(3, "select 1");
  assert.deepEqual(await table.noted(), [1, 3]);
});

Deno.test("transact() sends nothing behind the end of its transaction", async () => {
  await using table = await setUp();
  const { pool } = table;
  let left: ((n: number) => Promise<unknown>) | undefined;
  await transact(pool, async (tx, commit) => {
    left = async (n) => await tx`insert into shop.noted values (${n})`;
    await left(1);
    await commit();
    await assert.rejects(left(2), /its transaction has ended/);
  }).catch(() => {});
  await assert.rejects(left!(3), /its transaction has ended/);
  assert.deepEqual(await table.noted(), [1]);
});

Deno.test("transact() shares a pool with others, one connection at a time", async () => {
  await using table = await setUp({ max: 2 });
  const { pool } = table;
  const results = await Promise.all(Array.from({ length: 40 }, async (_, n) => {
    if (n % 4 === 0) return (await pool`select ${n}::int as n`)[0]!.n;
    if (n % 4 === 1) return await pool.begin(async (tx) => (await tx`select ${n}::int as n`)[0]!.n);
    return await transact(pool, async (tx, commit) => {
      const [row] = await tx`select ${n}::int as n, txid_current_if_assigned()::text as id`;
      assert.equal(row!.id, null, "a transaction of its own");
      await inOneGo([(async () => await tx`insert into shop.noted values (${n})`)(), commit()]);
      return row!.n;
    });
  }));
  assert.deepEqual(results, Array.from({ length: 40 }, (_, n) => n));
  assert.equal((await table.noted()).length, 20);
});

Deno.test("transact() rejects when the connection goes, and the pool opens another", async (t) => {
  await using table = await setUp();
  const { admin, proxy, pool } = table;
  const end = () =>
    admin`
      select pg_terminate_backend(pid) from pg_stat_activity
      where application_name = 'clickledger ingest' and datname = current_database()`;
  const endings: Record<string, () => unknown> = { "cut": () => proxy.cut(), "ended": end };
  for (const [name, lose] of Object.entries(endings)) {
    await t.step(`${name} while a statement is under way`, async () => {
      const cut = transact(pool, async (tx) => {
        await tx`insert into shop.noted values (1)`;
        const sleeping = tx`select pg_sleep(10)`.execute();
        await lose();
        await sleeping;
      });
      await assert.rejects(withSafeErrors(() => cut));
      assert.equal((await pool`select 1`.catch(() => pool`select 1`)).length, 1);
    });
    await t.step(`${name} while others wait for it`, async () => {
      const cut = transact(pool, async (tx, commit) => {
        // The server is asked for the type of its parameter first, and nothing else is sent until then.
        const sleeping = (async () => await tx`select pg_sleep(${10})`)();
        const last = [sleeping, (async () => await tx`insert into shop.noted values (${1})`)()];
        const committing = inOneGo([...last, commit(last)]);
        await table.reached("pg_sleep", "active");
        await lose();
        await committing;
      });
      await assert.rejects(withSafeErrors(() => cut));
      assert.equal((await pool`select 1`.catch(() => pool`select 1`)).length, 1);
    });
    await t.step(`${name} while none is`, async () => {
      let behind: Promise<unknown> | undefined;
      const { promise: isOver, resolve: over } = Promise.withResolvers<void>();
      const cut = transact(pool, async (tx) => {
        await tx`insert into shop.noted values (1)`;
        await lose();
        await isOver;
        behind = Promise.resolve(tx`insert into shop.noted values (2)`);
        await behind;
      });
      await assert.rejects(withSafeErrors(() => cut));
      assert.equal((await pool`select 1`.catch(() => pool`select 1`)).length, 1);
      over();
      await waitFor(() => behind !== undefined, { what: "a late statement" });
      await assert.rejects(behind!);
    });
    assert.deepEqual(await table.noted(), []);
  }
});

Deno.test("transact() tells that nobody answers", async () => {
  await using table = await setUp();
  await table.proxy.refuse();
  const refused = transact(table.pool, async (tx) => await tx`select 1`);
  await assert.rejects(withSafeErrors(() => refused), { type: "DatabaseUnavailable" });
  await table.proxy.listen();
  const [row] = await transact(table.pool, async (tx) => await tx`select 1 as n`);
  assert.equal(row!.n, 1);
});
