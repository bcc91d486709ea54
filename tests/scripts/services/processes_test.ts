import assert from "node:assert/strict";
import { join } from "node:path";
import { readProcess } from "../../../scripts/services/_process_table.ts";
import { endProcess } from "../../../scripts/services/end_process.ts";
import { endOrphans, startProcess } from "../../../scripts/services/processes.ts";
import { tempDir, waitFor } from "../../harness.ts";

const quiet = () => {};

function startSleep(home: string, marker = join(home, "marker")) {
  return startProcess(home, {
    name: "sleep",
    program: "/bin/sh",
    args: ["-c", "echo started; while :; do sleep 1; done", marker],
    marker,
    cwd: home,
    env: { PATH: "/usr/bin:/bin" },
    logFile: join(home, "sleep.log"),
    stopSteps: [["SIGTERM", 5_000], ["SIGKILL", 5_000]],
  });
}

async function listRecords(home: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(join(home, "processes")))).map(({ name }) => name);
}

Deno.test("startProcess() logs to a file, and stop() ends and forgets the process", async () => {
  await using home = await tempDir();
  const process = await startSleep(home.path);
  const log = () => Deno.readTextFile(join(home.path, "sleep.log")).catch(() => "");
  await waitFor(async () => (await log()) === "started\n", { what: "a line in the log" });
  assert.deepEqual(await listRecords(home.path), ["sleep.json"]);
  await process.stop();
  assert.equal(await readProcess(process.pid), undefined);
  assert.deepEqual(await listRecords(home.path), []);
  await process.stop();
});

Deno.test("endOrphans() ends a recorded process", async () => {
  await using home = await tempDir();
  const process = await startSleep(home.path);
  assert.deepEqual(await endOrphans(home.path, quiet), ["sleep"]);
  assert.equal((await process.ended).success, false);
  assert.deepEqual(await listRecords(home.path), []);
  assert.deepEqual(await endOrphans(home.path, quiet), []);
});

Deno.test("endOrphans() finds a process whose pid was not recorded in time", async () => {
  await using home = await tempDir();
  await using other = await tempDir();
  const process = await startSleep(home.path);
  // The same program for another home, whose path begins alike.
  const bystander = await startSleep(other.path, `${home.path}/marker-2`);
  const recordFile = join(home.path, "processes", "sleep.json");
  const { pid: _, startedAt: __, ...intent } = JSON.parse(await Deno.readTextFile(recordFile));
  await Deno.writeTextFile(recordFile, JSON.stringify(intent));
  assert.deepEqual(await endOrphans(home.path, quiet), ["sleep"]);
  assert.equal(await readProcess(process.pid), undefined);
  assert.ok(await readProcess(bystander.pid));
  await bystander.stop();
});

Deno.test("endOrphans() leaves a process alone that took over the pid", async () => {
  await using home = await tempDir();
  const process = await startSleep(home.path);
  const recordFile = join(home.path, "processes", "sleep.json");
  const record = JSON.parse(await Deno.readTextFile(recordFile));
  await Deno.writeTextFile(recordFile, JSON.stringify({ ...record, startedAt: "earlier" }));
  assert.deepEqual(await endOrphans(home.path, quiet), []);
  assert.ok(await readProcess(process.pid));
  await process.stop();
});

Deno.test("endProcess() uses the next signal when one is ignored", async () => {
  const child = new Deno.Command("/bin/sh", {
    args: ["-c", "trap '' TERM; echo ready; while :; do sleep 0.1; done"],
    stdout: "piped",
  }).spawn();
  await child.stdout.getReader().read();
  const info = await readProcess(child.pid);
  assert.ok(info);
  await endProcess(info, [["SIGTERM", 100], ["SIGKILL", 5_000]]);
  assert.equal((await child.status).signal, "SIGKILL");
});
