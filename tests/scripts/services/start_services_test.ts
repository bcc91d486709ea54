import assert from "node:assert/strict";
import postgres from "postgres";
import { readProcess } from "../../../scripts/services/_process_table.ts";
import { findFreePort } from "../../../scripts/services/require_free_port.ts";
import { startServices } from "../../../scripts/services/start_services.ts";
import { readConfig } from "../../../scripts/config.ts";
import { projectPath, tempDir, waitFor } from "../../harness.ts";
import { spawnHolder } from "./_spawn_holder.ts";

async function assertAnswers(url: string): Promise<void> {
  const sql = postgres(url, { max: 1, connect_timeout: 5 });
  try {
    assert.equal((await sql`select 1 as one`)[0]?.one, 1);
  } finally {
    await sql.end();
  }
}

async function kill(child: Deno.ChildProcess, signal: Deno.Signal): Promise<Deno.CommandStatus> {
  child.kill(signal);
  return await child.status;
}

Deno.test("startServices() is not blocked by a kill -9 of an earlier supervisor", async () => {
  await using home = await tempDir();
  const port = findFreePort();
  const first = spawnHolder(home.path, { port, only: "postgres,temporal" });
  const { started } = await first.ready;
  assert.deepEqual(started.map(({ name }) => name).sort(), ["postgres", "temporal"]);
  await kill(first.child, "SIGKILL");
  for (const { pid } of started) assert.ok(await readProcess(pid), "its services are orphans now");
  const second = spawnHolder(home.path, { port });
  await assertAnswers((await second.ready).databaseUrl);
  for (const { pid } of started) assert.equal(await readProcess(pid), undefined);
  assert.equal((await kill(second.child, "SIGTERM")).code, 0);
  assert.match(await second.stderr, /Ending postgres \(process \d+\), left by an earlier start/);
  for (const { pid } of (await second.ready).started) {
    assert.equal(await readProcess(pid), undefined);
  }
});

Deno.test("startServices() keeps services alive at Ctrl-C until it is told to stop", async () => {
  await using home = await tempDir();
  const holder = spawnHolder(home.path);
  const { started, databaseUrl } = await holder.ready;
  const [server] = started;
  assert.ok(server);
  // Its supervisor is stopped, so that only the signal itself can end the server.
  holder.child.kill("SIGSTOP");
  // As the terminal does it: to the whole foreground process group.
  Deno.kill(-holder.child.pid, "SIGINT");
  await assertAnswers(databaseUrl);
  holder.child.kill("SIGCONT");
  assert.equal((await holder.child.status).code, 0);
  assert.equal(await readProcess(server.pid), undefined);
});

Deno.test("startServices() refuses a home that another supervisor uses", async () => {
  await using home = await tempDir();
  const holder = spawnHolder(home.path);
  const { pid, databaseUrl } = await holder.ready;
  const config = readConfig({ CLICKLEDGER_HOME: home.path });
  await assert.rejects(
    startServices(config, { progress: () => {} }),
    new RegExp(`process ${pid} runs there already; stop it .*kill ${pid}.*CLICKLEDGER_HOME`),
  );
  await assertAnswers(databaseUrl);
  await kill(holder.child, "SIGINT");
});

Deno.test("startServices() stops what it started when another service cannot start", async () => {
  await using home = await tempDir();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const config = readConfig({
    CLICKLEDGER_HOME: home.path,
    CLICKLEDGER_POSTGRES_PORT: String(findFreePort()),
    CLICKLEDGER_TEMPORAL_PORT: String((listener.addr as Deno.NetAddr).port),
  });
  await assert.rejects(startServices(config, { progress: () => {}, fsync: false }), /is taken/);
  const left = await Array.fromAsync(Deno.readDir(`${home.path}/processes`));
  assert.deepEqual(left, []);
});

Deno.test("startServices() uses the servers that the environment names", async () => {
  await using home = await tempDir();
  const config = readConfig({
    CLICKLEDGER_HOME: home.path,
    DATABASE_URL: "postgres://user@db.example/shop",
    TEMPORAL_ADDRESS: "temporal.example:7233",
  });
  await using services = await startServices(config, { progress: () => {} });
  assert.equal(services.databaseUrl, "postgres://user@db.example/shop");
  assert.equal(services.temporalAddress, "temporal.example:7233");
  assert.equal(services.webUiUrl, undefined);
  assert.deepEqual(services.started, []);
});

Deno.test("startServices() tells when a service ends by itself", async () => {
  await using home = await tempDir();
  const config = readConfig({
    CLICKLEDGER_HOME: home.path,
    CLICKLEDGER_POSTGRES_PORT: String(findFreePort()),
  });
  const options = { progress: () => {}, fsync: false, only: ["postgres"] } as const;
  await using services = await startServices(config, options);
  Deno.kill(services.started[0]?.pid ?? 0, "SIGQUIT");
  assert.equal((await services.unexpectedEnd).service, "postgres");
});

const nobody = await canActAsNobody() ? { uid: 65534, gid: 65534 } : undefined;

Deno.test({
  name: "startServices() works as an ordinary user (skipped unless root can act as nobody)",
  ignore: nobody === undefined,
  async fn() {
    await using home = await tempDir();
    await Deno.chown(home.path, 65534, 65534);
    const holder = spawnHolder(home.path, {
      ...(nobody && { user: nobody }),
      env: { HOME: home.path, DENO_DIR: `${home.path}/deno` },
    });
    const { uid, databaseUrl } = await holder.ready;
    assert.equal(uid, 65534);
    await assertAnswers(databaseUrl);
    assert.equal((await kill(holder.child, "SIGTERM")).code, 0);
  },
});

/** Only root can change users, and nobody must be able to read the project and Deno. */
async function canActAsNobody(): Promise<boolean> {
  if (Deno.uid() !== 0) return false;
  try {
    const { success } = await new Deno.Command(Deno.execPath(), {
      args: ["eval", `Deno.readTextFileSync("${projectPath("deno.json")}")`],
      env: { DENO_DIR: "/tmp", HOME: "/tmp" },
      cwd: "/",
      uid: 65534,
      gid: 65534,
      stdout: "null",
      stderr: "null",
    }).output();
    return success;
  } catch {
    return false;
  }
}

Deno.test({
  name: "startServices() serves root from a home that PostgreSQL's user cannot reach",
  ignore: Deno.uid() !== 0,
  async fn() {
    await using outer = await tempDir();
    await Deno.chmod(outer.path, 0o700);
    const holder = spawnHolder(`${outer.path}/home`);
    await assertAnswers((await holder.ready).databaseUrl);
    const location = await Deno.readTextFile(`${outer.path}/home/postgres/location`);
    try {
      assert.match(location, /^\/var\/lib\/clickledger\/postgres-/);
      assert.equal((await kill(holder.child, "SIGTERM")).code, 0);
      assert.match(await holder.stderr, /cannot reach .* its data goes to/);
      const again = spawnHolder(`${outer.path}/home`);
      await assertAnswers((await again.ready).databaseUrl);
      await kill(again.child, "SIGTERM");
    } finally {
      await Deno.remove(location.trim(), { recursive: true });
    }
  },
});

Deno.test("signals reach a supervisor through deno task", async () => {
  await using home = await tempDir();
  await Deno.writeTextFile(
    `${home.path}/deno.json`,
    JSON.stringify({
      tasks: {
        up: `deno eval 'Deno.addSignalListener("SIGTERM", () => {
        console.log("drained"); Deno.exit(0); }); console.log("up"); setInterval(() => {}, 1000)'`,
      },
    }),
  );
  const task = new Deno.Command(Deno.execPath(), {
    args: ["task", "up"],
    cwd: home.path,
    stdout: "piped",
    stderr: "null",
  }).spawn();
  let output = "";
  const reading = task.stdout.pipeThrough(new TextDecoderStream()).pipeTo(
    new WritableStream({
      write: (text) => void (output += text),
    }),
  );
  await waitFor(() => output.includes("up"), { what: "the task to run" });
  task.kill("SIGTERM");
  assert.equal((await task.status).code, 0);
  await reading;
  assert.match(output, /drained/);
});
