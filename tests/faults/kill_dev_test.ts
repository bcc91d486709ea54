import assert from "node:assert/strict";
import postgres from "postgres";
import { withoutSettings } from "../../scripts/_test_services.ts";
import { readConfig } from "../../scripts/config.ts";
import { findFreePort } from "../../scripts/services/require_free_port.ts";
import { readRunFile } from "../../scripts/services/run_file.ts";
import { sweepHomes } from "../../scripts/services/sweep_homes.ts";
import { projectPath, tempDir, waitFor } from "../harness.ts";
import { assertPlanted, listNames, plantFiles } from "./_planted_files.ts";

const FILES = 12;
const START_MS = 60_000;

Deno.test("kill -9 of all of it while files land, and Temporal loses its database → each file loads once", async () => {
  await using folder = await tempDir();
  const home = `${folder.path}/home`;
  const [inbox, landing] = [`${home}/inbox`, `${folder.path}/landing`];
  await Deno.mkdir(landing);
  const planted = await plantFiles(landing, { files: FILES, rows: 500, seed: 71 });
  await using pipeline = new DevProcess(home);

  await pipeline.start();
  const { ownerDatabaseUrl } = (await readRunFile(home)) ?? {};
  assert.ok(ownerDatabaseUrl);
  const sql = postgres(ownerDatabaseUrl, { max: 1, onnotice: () => {}, backoff: () => 0.1 });
  const land = async (from: number, to: number) => {
    for (const name of planted.names.slice(from, to)) {
      await Deno.rename(`${landing}/${name}`, `${inbox}/${name}`);
    }
  };
  await land(0, 6);
  await waitFor(async () => await settledFiles(sql) >= 1, { what: "a file to be settled" });
  await pipeline.kill();
  await land(6, 10);
  await pipeline.start();
  await waitFor(async () => await settledFiles(sql) >= 7, { what: "files to be settled" });
  await pipeline.kill();
  // The ledger alone knows what is to be done.
  for (const name of await listNames(`${home}/temporal`)) {
    if (name.startsWith("temporal.db")) await Deno.remove(`${home}/temporal/${name}`);
  }
  await land(10, FILES);
  await pipeline.start();
  await waitFor(async () => await settledFiles(sql) === FILES, {
    what: "all files to be settled",
    timeoutMs: 60_000,
  });

  await assertPlanted({
    sql,
    inbox,
    archive: `${home}/archive`,
    verify: async () => [...await sql`select * from ingest.verify()`],
  }, planted);
  await sql.end();
  assert.equal(await pipeline.stop(), 0);
  assert.deepEqual(await listNames(`${home}/processes`), []);
});

/** `deno task dev` in a home of its own. */
class DevProcess implements AsyncDisposable {
  readonly #home: string;
  readonly #env: Record<string, string>;
  #process: Deno.ChildProcess | undefined;

  constructor(home: string) {
    this.#home = home;
    this.#env = {
      ...withoutSettings(Deno.env.toObject()),
      CLICKLEDGER_HOME: home,
      CLICKLEDGER_CACHE: readConfig().cache,
      CLICKLEDGER_POSTGRES_PORT: String(findFreePort()),
      CLICKLEDGER_TEMPORAL_PORT: String(findFreePort()),
      CLICKLEDGER_UI_PORT: String(findFreePort()),
      CLICKLEDGER_DASHBOARD_PORT: String(findFreePort()),
      CLICKLEDGER_CHUNK_BYTES: String(64 * 1024),
      CLICKLEDGER_HEARTBEAT_TIMEOUT_MS: "2000",
      CLICKLEDGER_IDLE_IN_TRANSACTION_TIMEOUT_MS: "1000",
      CLICKLEDGER_WORKFLOW_TASK_TIMEOUT_MS: "2000",
      CLICKLEDGER_RELIST_MS: "1000",
    };
  }

  async start(): Promise<void> {
    this.#process = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", projectPath("scripts/dev.ts")],
      clearEnv: true,
      env: this.#env,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const { pid } = this.#process;
    await waitFor(async () => (await readRunFile(this.#home))?.pid === pid, {
      what: "dev to be ready",
      timeoutMs: START_MS,
    });
  }

  async kill(): Promise<void> {
    this.#process?.kill("SIGKILL");
    await this.#process?.status;
    this.#process = undefined;
  }

  /** Returns its exit code. */
  async stop(): Promise<number | undefined> {
    this.#process?.kill("SIGTERM");
    const status = await this.#process?.status;
    this.#process = undefined;
    return status?.code;
  }

  /** What a killed one left running ends as well. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await sweepHomes(this.#home, () => {});
  }
}

async function settledFiles(sql: postgres.Sql): Promise<number> {
  const [row] = await sql<{ settled: number }[]>`
    select count(settled_at)::integer as settled from ingest.files`;
  return row?.settled ?? 0;
}
