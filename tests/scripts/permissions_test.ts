import assert from "node:assert/strict";
import { join } from "node:path";
import { withoutSettings } from "../../scripts/_test_services.ts";
import { eventLines } from "../event_lines.ts";
import { projectPath, tempDir, testDatabase, testTemporal, waitFor } from "../harness.ts";
import { untilReady } from "../until_ready.ts";

type SetName = "query" | "dashboard" | "steer" | "watch" | "worker";

/** Every set reads the project, whose home lies in it, and reaches servers of this machine. */
const READS = ["./"];
const HOSTS = ["127.0.0.1", "localhost", "[::1]"];

const { permissions } = JSON.parse(await Deno.readTextFile(projectPath("deno.json")));

Deno.test("Permission sets allow no program, and native code of Temporal's bridge alone", () => {
  for (const [name, set] of Object.entries<Record<string, unknown>>(permissions)) {
    const { read, write, net, env, sys, ffi, ...others } = set;
    assert.deepEqual([read, net, env, others], [READS, HOSTS, true, {}], name);
    assert.ok(Array.isArray(sys));
    const onlyAsks = name === "query" || name === "dashboard";
    assert.deepEqual(write, onlyAsks ? undefined : ["./.clickledger"], name);
    const bridge = ["./node_modules/.deno/@temporalio+core-bridge@1.24.0"];
    assert.deepEqual(ffi, onlyAsks ? undefined : bridge, name);
  }
});

Deno.test("Each role runs with its permission set, and fails at what lies outside", async (t) => {
  await using home = await confinedHome();
  const { env, sql } = home;
  await using outside = await tempDir();
  const elsewhere = join(outside.path, "events.csv");
  await Deno.writeTextFile(elsewhere, eventLines({ seed: 31, rows: 10 }));

  await t.step("worker: where the workflows are not built, it may not build them", async () => {
    const { code, stderr } = await confined("worker", ["dev", "--role", "worker"], env);
    assert.equal(code, 1);
    assert.match(stderr, /this process may not start another; run `deno task bundle` first/);
  });

  const bundled = await run(["run", "-A", projectPath("scripts", "bundle.ts")], env);
  assert.equal(bundled.code, 0, bundled.stderr);

  await t.step("watch and worker: a file gets from the inbox into the database", async () => {
    await using _worker = await startRole("worker", env);
    const own = { CLICKLEDGER_HOME: join(home.path, "watcher") };
    await using _watcher = await startRole("watch", { ...env, ...own });
    const text = eventLines({ seed: 32, rows: 20 });
    await Deno.writeTextFile(join(home.path, "inbox", "good.csv"), text);
    await waitFor(async () => {
      const [file] = await sql`
        select from ingest.files where state = 'loaded' and settled_at is not null`;
      return file;
    }, { what: "the file to be loaded", timeoutMs: 30_000 });
  });

  await t.step("query: asks the database", async () => {
    const again = eventLines({ seed: 33, rows: 5 });
    await Deno.writeTextFile(join(home.path, "inbox", "again.csv"), again);
    for (
      const args of [
        ["sql", "select count(*) from shop.events", "--format", "csv"],
        ["verify"],
        ["files", "list"],
        ["files", "show", "good.csv"],
        ["migrate", "--dry-run"],
        ["ingest", "--dry-run", join(home.path, "inbox", "again.csv")],
      ]
    ) {
      const { code, stdout, stderr } = await confined("query", args, env);
      assert.equal(code, 0, stderr);
      if (args[0] === "sql") assert.equal(stdout, "count\n20\n");
    }
  });

  await t.step("steer: talks to Temporal", async () => {
    const { code, stderr } = await confined("steer", ["generate", "--status"], env);
    assert.equal(code, 1);
    assert.match(stderr, /Cannot show the generator: none runs/);
    assert.equal((await confined("steer", ["migrate"], env)).code, 0);
  });

  await t.step("query: no native code", async () => {
    const script = projectPath("scripts", "generate.ts");
    const args = [...flagsOf("query"), "--allow-write", script, "--status"];
    const { code, stderr } = await run(args, env);
    assert.equal(code, 1);
    assert.match(stderr, /Requires ffi access to "[^"]+core-bridge/);
  });

  const unset = { DATABASE_URL: "", TEMPORAL_ADDRESS: "" };
  const refusals: Record<string, [SetName, string[], Record<string, string>, RegExp]> = {
    "query: no other host": [
      "query",
      ["sql", "select 1"],
      { DATABASE_URL: "postgres://a:b@192.0.2.1/c" },
      /Requires net access to "192\.0\.2\.1:5432"/,
    ],
    "query: no writing": ["query", ["files", "retry", "1"], {}, /Requires write access/],
    "query: no server of its own": [
      "query",
      ["sql", "select 1"],
      unset,
      /Requires (write|run|ffi|net) access/,
    ],
    "steer: no folder of others": ["steer", ["ingest", elsewhere], {}, /Requires read access/],
    "dashboard: not to others": [
      "dashboard",
      ["dashboard", "--host", "0.0.0.0"],
      {},
      /Requires net access to "0\.0\.0\.0:\d+"/,
    ],
    "watch: no inbox elsewhere": [
      "watch",
      ["dev", "--role", "watch"],
      { CLICKLEDGER_INBOX: join(outside.path, "inbox") },
      /Requires (read|write) access to "[^"]+inbox"/,
    ],
    "watch: no server of its own": [
      "watch",
      ["dev", "--role", "watch"],
      unset,
      /Requires \w+ access/,
    ],
    "worker: no archive elsewhere": [
      "worker",
      ["dev", "--role", "worker"],
      { CLICKLEDGER_ARCHIVE: join(outside.path, "archive") },
      /Requires (read|write) access to "[^"]+archive"/,
    ],
    "worker: no other host": [
      "worker",
      ["dev", "--role", "worker"],
      { DATABASE_URL: "postgres://a:b@192.0.2.1/c" },
      /Requires net access to "192\.0\.2\.1:5432"/,
    ],
  };
  for (const [name, [set, args, changes, says]] of Object.entries(refusals)) {
    await t.step(name, async () => {
      const { code, stderr } = await confined(set, args, { ...env, ...changes });
      assert.equal(code, 1, stderr);
      assert.match(stderr, says);
    });
  }
});

Deno.test("Whoever only asks gives up programs and native code before the first question", async () => {
  await using home = await confinedHome();
  const script = `
    const { withDatabase } = await import("./scripts/cli/with_database.ts");
    const { readConfig } = await import("./scripts/config.ts");
    const stateOf = async (name) => (await Deno.permissions.query({ name })).state;
    const before = [await stateOf("run"), await stateOf("ffi")];
    await withDatabase(readConfig(), "reader", async (sql) => {
      const [{ one }] = await sql\`select 1 as one\`;
      const tried = await Promise.try(() => new Deno.Command("true").output()).catch((error) => error.name);
      console.log(JSON.stringify([before, await stateOf("run"), await stateOf("ffi"), one, tried]));
    });`;
  const path = join(home.path, "ask.ts");
  await Deno.writeTextFile(path, script.replaceAll("./scripts", projectPath("scripts")));
  const { stdout, stderr } = await run(["run", "--no-check", "--no-prompt", "-A", path], home.env);
  assert.equal(stdout, '[["granted","granted"],"prompt","prompt",1,"NotCapable"]\n', stderr);
});

/** A home where the sets as they stand allow one: in the project. */
async function confinedHome() {
  const parts = new AsyncDisposableStack();
  const database = parts.use(await testDatabase());
  const path = projectPath(".clickledger", `confined-${crypto.randomUUID()}`);
  await Deno.mkdir(path, { recursive: true });
  parts.defer(() => Deno.remove(path, { recursive: true }));
  const env = {
    CLICKLEDGER_HOME: path,
    CLICKLEDGER_CACHE: join(path, "cache"),
    // A confined process cannot say whether another one runs, so each has a home of its own.
    CLICKLEDGER_INBOX: join(path, "inbox"),
    CLICKLEDGER_ARCHIVE: join(path, "archive"),
    CLICKLEDGER_FAILED: join(path, "failed"),
    CLICKLEDGER_SETTLE_MS: "100",
    DATABASE_URL: database.url,
    TEMPORAL_ADDRESS: await testTemporal(),
  };
  return { path, env, sql: database.sql, [Symbol.asyncDispose]: () => parts.disposeAsync() };
}

function confined(set: SetName, [name, ...args]: readonly string[], env: Record<string, string>) {
  return run([...flagsOf(set), projectPath("scripts", `${name}.ts`), ...args], env);
}

function flagsOf(set: SetName): string[] {
  return ["run", "--quiet", "--no-check", "--no-prompt", `--permission-set=${set}`];
}

async function run(args: readonly string[], env: Record<string, string>) {
  const { code, stdout, stderr } = await command(args, env).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

function command(args: readonly string[], env: Record<string, string>): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: projectPath(),
    clearEnv: true,
    env: { ...withoutSettings(Deno.env.toObject()), NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

/** Runs one half of the pipeline; disposing it ends it in order. */
async function startRole(
  role: "watch" | "worker",
  env: Record<string, string>,
): Promise<AsyncDisposable> {
  const script = projectPath("scripts", "dev.ts");
  const child = command([...flagsOf(role), script, "--role", role], env).spawn();
  return await untilReady(child, { what: `the ${role}`, ready: /Ready in/ });
}
