import assert from "node:assert/strict";
import { EVENT_HEADER, writeEvents } from "../../domain/generator/write_events.ts";
import { SHOP_EVENTS } from "../../domain/shop_events.ts";
import { tcpProxy } from "../activities/_tcp_proxy.ts";
import { eventRows } from "../event_lines.ts";
import { waitFor } from "../harness.ts";
import { type FaultPipeline, faultPipeline, type IngestHandle } from "./_fault_pipeline.ts";
import { ingestLogin } from "./_ingest_login.ts";
import { ownPostgres } from "./_own_services.ts";
import { pendingFailures } from "./_pending_failures.ts";
import { textOf } from "./_text_of.ts";

const SECRET = "Secret7f3aCell";
const COLUMNS = SHOP_EVENTS.columns.map(({ name }) => name);

/** An outage, and what the pending activity says while it lasts. */
interface Outage {
  says: RegExp;
  begin: () => Promise<unknown>;
  end: () => Promise<unknown>;
}

Deno.test("Secrets in cells and in the database's URL → in no history, failure or log", async (t) => {
  await using server = await ownPostgres();
  await using pipeline = await faultPipeline({ chunkBytes: 2_048, database: server.database });
  await using login = await ingestLogin(pipeline);
  await using proxy = await tcpProxy(login.url);
  const { sql } = pipeline;
  const worker = await pipeline.startWorker({ databaseUrl: proxy.url });
  const handles: IngestHandle[] = [];
  const failures: string[] = [];

  for (const [name, text] of Object.entries(FILES)) {
    const handle = await ingestText(pipeline, name, text);
    await handle.result().catch((error) => failures.push(String(error), String(error.cause)));
    handles.push(handle);
  }
  const outages: Record<string, Outage> = {
    "a constraint that quotes the row": {
      says: /SQLSTATE 23514/,
      begin: () =>
        sql.unsafe(`alter table shop.events add constraint no_secret
                    check (product_name not like '%${SECRET}%') not valid`),
      end: () => sql`alter table shop.events drop constraint no_secret`,
    },
    "another password": {
      says: /SQLSTATE 28P01/,
      begin: async () => {
        await sql.unsafe(`alter role ${login.name} password 'another'`);
        proxy.cut();
      },
      end: () => sql.unsafe(`alter role ${login.name} password '${login.password}'`),
    },
    "no server": {
      says: /Cannot reach PostgreSQL/,
      begin: () => proxy.refuse(),
      end: () => proxy.listen(),
    },
  };
  for (const [name, { says, begin, end }] of Object.entries(outages)) {
    await t.step(name, async () => {
      await begin();
      const handle = await ingestText(pipeline, `${name}.csv`, goodText());
      handles.push(handle);
      await waitFor(async () => {
        const pending = await pendingFailures(handle);
        failures.push(...pending);
        return pending.some((text) => says.test(text));
      }, { what: `a pending activity that says ${says}` });
      await end();
      assert.equal((await handle.result()).state, "loaded");
    });
  }

  const workflows = await Promise.all(handles.map(async (handle) => [
    textOf(await handle.fetchHistory()),
    textOf((await handle.describe()).raw),
    textOf(await handle.query("progress")),
  ]));
  worker.kill("SIGTERM");
  await worker.exited;
  const seen = {
    workflows: workflows.flat().join("\n"),
    failures: failures.join("\n"),
    files: textOf([...await sql`select f::text from ingest.files f`]),
    faults: textOf([...await sql`select faults::text from ingest.rejects`]),
    workerLog: pipeline.workerLogs(),
    serverLog: await server.readLog(),
  };
  // What may stand in them is found, so a secret would be.
  assert.ok(seen.workflows.includes("no header.csv"));
  assert.ok(seen.failures.includes("SQLSTATE 23514"));
  assert.ok(seen.files.includes("header_not_recognised"));
  assert.ok(seen.faults.includes("unknown_value"));
  assert.ok(seen.workerLog.includes("no header.csv"));
  assert.ok(seen.serverLog.includes("database system is ready"));
  for (const [where, text] of Object.entries(seen)) {
    for (const secret of [SECRET, login.password, new URL(server.database.url).password]) {
      const at = text.indexOf(secret);
      assert.equal(at, -1, `${where}: …${text.slice(Math.max(0, at - 200), at + 50)}`);
    }
  }
});

let used = 0;

/** Rows of events that no file before had, with the secret in one column. */
function secretRows(column: string): string[][] {
  const from = used;
  used += 10;
  return eventRows({ seed: 61, rows: 10, from })
    .map((row, index) => row.with(COLUMNS.indexOf(column), `${SECRET} ${index}`));
}

function goodText(): string {
  return EVENT_HEADER + writeEvents(secretRows("product_name"));
}

/** The secret as a good value, as a bad one of each column, and where a header should be. */
const FILES: Record<string, string> = {
  "good.csv": goodText(),
  "bad values.csv": EVENT_HEADER + COLUMNS.map((name) => writeEvents(secretRows(name))).join(""),
  "broken quote.csv": `${goodText()}"${SECRET}\n${writeEvents(secretRows("brand"))}`,
  "no header.csv": writeEvents(secretRows("product_name")),
  "preamble.csv": `${SECRET}\n${goodText()}`,
  "preamble of a table.csv": `${SECRET},2026-01-31\n${goodText()}`,
  "column misspelt.csv": goodText().replace("event_time", "evnt_time"),
  "long record.csv": `${goodText()}${SECRET.repeat(100_000)}\n`,
  "many columns.csv": `${goodText()}${`${SECRET},`.repeat(2_000)}\n`,
  "conflict.csv": goodText().replaceAll(/^([0-9a-f-]{36},.*),[A-Z]{2}$/gm, "$1,DE\n$1,US"),
  "one word.csv": `${SECRET} is no header.\n`,
  "binary.csv": `${SECRET}\xff\0`,
  "not compressed.csv.gz": goodText(),
};

async function ingestText(
  pipeline: FaultPipeline,
  name: string,
  text: string,
): Promise<IngestHandle> {
  await Deno.writeTextFile(`${pipeline.inbox}/${name}`, text);
  return await pipeline.ingest(name);
}
