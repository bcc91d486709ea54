import assert from "node:assert/strict";
import { join } from "node:path";
import { listProcesses } from "../../scripts/services/_process_table.ts";
import { eventLines } from "../event_lines.ts";
import { projectPath, tempDir, waitFor } from "../harness.ts";
import { listeningAddresses, LOOPBACK } from "./_listening.ts";
import { ownServices, runCommand, startDev, testHome } from "./_commands.ts";

Deno.test("dev stops all of it on Ctrl-C, and starts again after a kill -9", async (t) => {
  await using home = await tempDir();
  const env = ownServices(home.path);
  const ourProcesses = async () => {
    const processes = await listProcesses();
    return processes.filter(({ command }) => command.includes(home.path));
  };

  await t.step("SIGINT to deno task drains and leaves nothing", async () => {
    await using dev = await startDev(env, { viaTask: true });
    assert.match(dev.output(), /Web UI +http:\/\/127\.0\.0\.1:/);
    assert.ok((await ourProcesses()).length >= 2);
    Deno.kill(dev.pid, "SIGINT");
    const { code } = await dev.ended;
    assert.equal(code, 0, dev.output());
    assert.match(dev.output(), /Stopping: draining[^]*Stopped/);
    assert.deepEqual(await ourProcesses(), []);
    assert.equal(await exists(join(home.path, "run.json")), false);
  });

  await t.step("a second dev is told who runs there", async (t) => {
    await using dev = await startDev(env);
    const second = await runCommand("dev", [], { env });
    assert.equal(second.code, 1);
    assert.match(second.stderr, new RegExp(`process ${dev.run.pid} runs there already`));
    assert.match(second.stderr, /or use what runs there: deno task ingest, files, sql/);
    const pids = [dev.run.pid, ...(await ourProcesses()).map(({ pid }) => pid)];
    await t.step({
      name: "nothing of it listens beyond this machine",
      ignore: Deno.build.os !== "linux",
      async fn() {
        const addresses = await listeningAddresses(pids);
        // PostgreSQL, Temporal, its Web UI, the dashboard.
        assert.ok(addresses.length >= 4, addresses.join());
        assert.deepEqual(addresses.filter((address) => !LOOPBACK.includes(address)), []);
      },
    });
    await t.step("no password stands in a command line", async () => {
      const { password } = new URL(dev.run.ownerDatabaseUrl);
      assert.ok(password.length >= 16);
      const commands = (await listProcesses()).map(({ command }) => command);
      assert.ok(commands.some((command) => command.includes(home.path)));
      assert.deepEqual(commands.filter((command) => command.includes(password)), []);
    });
    Deno.kill(dev.run.pid, "SIGKILL");
    await dev.ended;
  });

  await t.step("after a kill -9, orphans are ended and all of it works", async () => {
    const orphans = await ourProcesses();
    assert.ok(orphans.length >= 2, "the services should have outlived their parent");
    const before = await runCommand("generate", ["--status"], { env });
    assert.equal(before.code, 1);
    assert.match(before.stderr, /nothing runs in .*; start `deno task dev`/);
    await using dev = await startDev(env);
    assert.match(dev.output(), /Ending postgres \(process \d+\), left by an earlier start/);
    const started = await runCommand("generate", ["--files", "1", "--interval", "50ms"], { env });
    assert.equal(started.code, 0, started.stderr);
    await waitFor(async () => {
      const { stdout } = await runCommand("files", [
        "list",
        "--state",
        "loaded",
        "--format",
        "json",
      ], {
        env,
      });
      return JSON.parse(stdout).length === 1;
    }, { what: "a generated file to be loaded" });
    Deno.kill(dev.pid, "SIGTERM");
    assert.equal((await dev.ended).code, 0, dev.output());
    assert.deepEqual(await ourProcesses(), []);
  });

  await t.step("commands that need only the database start it for their own duration", async () => {
    const verified = await runCommand("verify", [], { env });
    assert.equal(verified.code, 0, verified.stderr);
    assert.match(verified.stdout, /^Proven: 1 loaded file /);
    const listed = await runCommand("files", ["list", "--state", "loading"], { env });
    assert.match(listed.stderr, /No files\nNothing runs in .*goes on once `deno task dev` runs\n$/);
    assert.deepEqual(await ourProcesses(), []);
  });
});

Deno.test("dev told to stop while PostgreSQL is initialised ends with 130 and leaves nothing", async () => {
  await using home = await tempDir();
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", "-A", projectPath("scripts", "dev.ts")],
    env: { ...ownServices(home.path), NO_COLOR: "1" },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
    // A process group of its own, which gets the signal as a whole, as from a terminal.
    detached: true,
  }).spawn();
  let output = "";
  for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
    const before = output;
    output += text;
    if (!/initialising/.test(output) || /initialising/.test(before)) continue;
    await waitFor(async () => {
      return (await listProcesses()).some(({ command }) =>
        command.includes("initdb") && command.includes(home.path)
      );
    }, { what: "initdb to run" });
    await new Deno.Command("kill", { args: ["-INT", "--", `-${child.pid}`] }).output();
  }
  assert.equal((await child.status).code, 130, output);
  assert.match(output, /\nStopped before it was done\n$/);
  assert.doesNotMatch(output, /initdb/);
  const left = await listProcesses();
  assert.deepEqual(left.filter(({ command }) => command.includes(home.path)), []);
});

Deno.test("dev ends with 1 and says so when a service dies", async () => {
  await using home = await tempDir();
  await using dev = await startDev(ownServices(home.path));
  const { pid } = JSON.parse(
    await Deno.readTextFile(join(home.path, "processes", "temporal.json")),
  );
  Deno.kill(pid, "SIGKILL");
  assert.equal((await dev.ended).code, 1);
  assert.match(dev.output(), /Cannot go on: Temporal's dev server ended by itself \(by SIGKILL\)/);
  assert.equal(await exists(join(home.path, "run.json")), false);
});

Deno.test("dev runs worker and watcher in processes of their own", async () => {
  await using home = await testHome();
  await using watcher = await startDev(home.env, { args: ["--role", "watch"] });
  const inbox = join(home.path, "inbox");
  await Deno.writeTextFile(join(inbox, ".events.tmp"), eventLines({ seed: 1, rows: 10 }));
  await Deno.rename(join(inbox, ".events.tmp"), join(inbox, "events.csv"));
  await using worker = await startDev(home.env, { args: ["--role", "worker"] });
  assert.match(worker.output(), /not watched here/);
  await waitFor(async () => {
    const [row] = await home.sql`select loaded from ingest.files where settled_at is not null`;
    return row?.loaded === "10";
  }, { what: "the file to be loaded" });
  Deno.kill(worker.pid, "SIGINT");
  assert.equal((await worker.ended).code, 0);
  assert.ok(await exists(join(home.path, "run.json")), "the watcher still runs");
  Deno.kill(watcher.pid, "SIGINT");
  assert.equal((await watcher.ended).code, 0);
});

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
