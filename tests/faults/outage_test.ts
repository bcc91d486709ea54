import assert from "node:assert/strict";
import { tcpProxy } from "../activities/_tcp_proxy.ts";
import { eventLines } from "../event_lines.ts";
import { waitFor } from "../harness.ts";
import { answerProxy } from "./_answer_proxy.ts";
import { type FaultPipeline, faultPipeline, type IngestHandle } from "./_fault_pipeline.ts";
import { ingestLogin } from "./_ingest_login.ts";
import { pendingFailures } from "./_pending_failures.ts";

const ROWS = 20;
/** Above a chunk's, so that the files here have two or three. */
const chunkBytes = 2 * 1024;

Deno.test("Answer of PostgreSQL lost, at each step of a file in turn → it loads once", async () => {
  await using pipeline = await faultPipeline({ chunkBytes });
  await using proxy = await answerProxy(pipeline.databaseUrl);
  await pipeline.runWorker({}, { databaseUrl: proxy.url });
  // The first one makes the month and opens connections: its requests are not those of the others.
  await load(pipeline, 0);
  const before = proxy.requests();
  await load(pipeline, 1);
  const steps = proxy.requests() - before;
  assert.ok(steps > 20);

  for (let step = 1; step <= steps; step++) {
    proxy.loseAnswer(proxy.requests() + step);
    await load(pipeline, 1 + step);
  }

  const [{ events } = {}] = await pipeline.sql`select count(*)::integer as events from shop.events`;
  assert.equal(events, ROWS * (steps + 2));
  assert.deepEqual(await pipeline.verify(), []);
});

Deno.test("Connections that swallow all → the file fails at its deadline and loads once after", async () => {
  await using pipeline = await faultPipeline({ chunkBytes });
  await using proxy = await tcpProxy(pipeline.databaseUrl);
  const limits = { ...pipeline.setup.limits, statementDeadlineMs: 1_000 };
  const handle = await outage(pipeline, {
    change: { databaseUrl: proxy.url, limits },
    begin: () => Promise.resolve(proxy.swallow()),
    says: /^Cannot reach PostgreSQL: /,
    end: () => Promise.resolve(proxy.pass()),
  });
  await assertLoadedOnce(pipeline, handle);
});

Deno.test("Backends terminated within transactions → the file loads once", async () => {
  await using pipeline = await faultPipeline({ chunkBytes });
  let terminated = 0;
  await pipeline.runWorker({
    beforeChunkTransaction: () => {
      // Not waited for, so that it hits the transaction; few times, because each costs a longer wait.
      if (terminated++ < 4) void terminateIngest(pipeline).catch(() => {});
      return Promise.resolve();
    },
  });
  await Deno.writeTextFile(`${pipeline.inbox}/events.csv`, eventLines({ seed: 43, rows: ROWS }));
  const handle = await pipeline.ingest("events.csv", { shortWay: false });
  await assertLoadedOnce(pipeline, handle);
  assert.ok(terminated > 0);
});

Deno.test("PostgreSQL out of connections → the file waits, says why, and loads once", async () => {
  await using pipeline = await faultPipeline({ chunkBytes });
  const { sql } = pipeline;
  await using login = await ingestLogin(pipeline);
  const handle = await outage(pipeline, {
    change: { databaseUrl: login.url },
    begin: async () => {
      await sql.unsafe(`alter role ${login.name} connection limit 0`);
      await terminateIngest(pipeline);
    },
    says: /SQLSTATE 53300.* no free connection/,
    end: async () => void await sql.unsafe(`alter role ${login.name} connection limit -1`),
  });
  await assertLoadedOnce(pipeline, handle);
});

Deno.test("PostgreSQL read-only → the file waits, says why, and loads once", async () => {
  await using pipeline = await faultPipeline({ chunkBytes });
  const { sql } = pipeline;
  const [{ name } = {}] = await sql<{ name: string }[]>`select current_database() as name`;
  const setReadOnly = async (value: "on" | "off") => {
    await sql.unsafe(`alter database ${name} set default_transaction_read_only = ${value}`);
    await terminateIngest(pipeline);
  };
  const handle = await outage(pipeline, {
    begin: () => setReadOnly("on"),
    says: /SQLSTATE 25006.* read-only/,
    end: () => setReadOnly("off"),
  });
  await assertLoadedOnce(pipeline, handle);
});

/** Starts a file, breaks something before its second chunk, and mends it once the workflow says what is wrong. */
async function outage(
  pipeline: FaultPipeline,
  { change = {}, begin, says, end }: {
    change?: Parameters<FaultPipeline["runWorker"]>[1];
    begin: () => Promise<void>;
    says: RegExp;
    end: () => Promise<void>;
  },
): Promise<IngestHandle> {
  let hasBegun = false;
  await pipeline.runWorker({
    beforeChunkTransaction: async (_fileId, chunkNo) => {
      if (chunkNo !== 1 || hasBegun) return;
      hasBegun = true;
      await begin();
    },
  }, change);
  await Deno.writeTextFile(`${pipeline.inbox}/events.csv`, eventLines({ seed: 42, rows: ROWS }));
  const handle = await pipeline.ingest("events.csv");
  await waitFor(async () => (await pendingFailures(handle)).some((text) => says.test(text)), {
    what: `a pending activity that says ${says}`,
  });
  await end();
  return handle;
}

async function assertLoadedOnce(pipeline: FaultPipeline, handle: IngestHandle): Promise<void> {
  const { state, loaded, duplicates, rejected } = await handle.result();
  assert.deepEqual([state, loaded, duplicates, rejected], ["loaded", ROWS, 0, 0]);
  assert.deepEqual(await pipeline.verify(), []);
}

async function load(pipeline: FaultPipeline, number: number): Promise<void> {
  const name = `events-${number}.csv`;
  const text = eventLines({ seed: 41, rows: ROWS, from: number * ROWS });
  await Deno.writeTextFile(`${pipeline.inbox}/${name}`, text);
  const { state, loaded, duplicates } = await (await pipeline.ingest(name)).result();
  assert.deepEqual([name, state, loaded, duplicates], [name, "loaded", ROWS, 0]);
}

async function terminateIngest({ sql }: FaultPipeline): Promise<void> {
  await sql`
    select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and application_name = 'clickledger ingest'`;
}
